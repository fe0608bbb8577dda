#!/bin/bash
# Usage: run.sh TEST LIBRARY... --gtest_filter=FILTER
# Runs a googletest with a mutant loaded, and passes if it fails: by assertions, and to its end.
test=$PWD/$1
filter=${!#}

preload=
for library in "${@:2:$#-2}"; do
  preload+=$PWD/$library:
done
report=$TEST_TMPDIR/report.xml
env LD_PRELOAD="$preload" "$test" "$filter" --gtest_output="xml:$report" \
  > "$TEST_TMPDIR/output" 2>&1
status=$?

if [[ $status == 1 ]] && grep -q '<failure' "$report"; then
  grep '^\[  FAILED  \]' "$TEST_TMPDIR/output" | sort -u
  exit 0
fi
cat "$TEST_TMPDIR/output"
if [[ $status == 0 ]]; then
  echo "The mutant lives: with $filter nothing failed."
else
  echo "The test ended with $status, and not by a failed assertion."
fi
exit 1
