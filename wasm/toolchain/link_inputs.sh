#!/bin/sh
# link_inputs.sh EXPORTS IMPORTS FUNCTIONS.txt IMPORTS.js GRAPH.json
#
# From the two lists (one name per line, # begins a comment) makes what em++ and
# wasm-metadce read: the functions to export, a JavaScript library that declares
# the allowed imports (any other undefined symbol fails the link), and the graph
# that says which exports stay.
set -eu
names() { sed -e 's/#.*//' -e 's/[[:space:]]//g' -e '/^$/d' "$1"; }

names "$1" | sed -e '/^memory$/d' -e '/^_initialize$/d' -e 's/^/_/' > "$3"
{
  echo 'mergeInto(LibraryManager.library, {'
  names "$2" | sed -e 's/^.*\.//' -e 's/.*/  &: function() {},/'
  echo '});'
} > "$4"
{
  echo '['
  { names "$1"; echo memory; echo _initialize; } | sort -u |
    sed -e 's/.*/{"name": "export &", "root": true, "export": "&"},/' -e '$s/,$//'
  echo ']'
} > "$5"
