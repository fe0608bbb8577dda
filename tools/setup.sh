# Sourced by tools/run and tools/test: what the machine has to have.
#
# Nothing is asked of apt when nothing is missing: each need is a program or a file,
# so what was installed some other way counts too.

# package | what shows it is there: a program, or else a file | what it is for
readonly NEEDS_TO_RUN='
bazel-bootstrap     | bazel                                          | builds everything
g++                 | g++                                            | compiles native code
emscripten          | em++                                           | compiles WebAssembly
nlohmann-json3-dev  | /usr/include/nlohmann/json.hpp                 | JSON
libexpected-dev     | /usr/include/tl/expected.hpp                   | results that may be errors
libboost1.81-dev    | /usr/include/boost/beast/core.hpp              | sockets and HTTP
libcli11-dev        | /usr/include/CLI/CLI.hpp                       | command line
libhiredis-dev      | /usr/include/hiredis/hiredis.h                 | Redis protocol
libsqlite3-dev      | /usr/include/sqlite3.h                         | file store
libssl-dev          | /usr/include/openssl/ssl.h                     | TLS
libvalijson-dev     | /usr/include/valijson/validator.hpp            | arguments against schemas
libre2-dev          | /usr/include/re2/re2.h                         | patterns in schemas
'
readonly NEEDS_TO_TEST='
googletest          | /usr/src/googletest/googletest/src/gtest.cc    | unit tests, also as WebAssembly
libbenchmark-dev    | /usr/include/benchmark/benchmark.h             | benchmarks
nodejs              | node                                           | runs WebAssembly and JavaScript tests
npm                 | npm                                            | fetches the SDKs the tests talk to
ca-certificates     | /etc/ssl/certs/ca-certificates.crt             | npm over TLS
redis-server        | redis-server                                   | a Redis of the tests'"'"' own
chromium            | chromium                                       | browser tests
'

say() { printf '%s\n' "$*" >&2; }

# The packages of $1 that are missing, one "package|purpose" per line.
missing_needs() {
  local package shown purpose
  while IFS='|' read -r package shown purpose; do
    package=${package// /}
    shown=${shown// /}
    purpose=${purpose# }
    [ -n "$package" ] || continue
    case $shown in
      /*) [ -e "$shown" ] && continue ;;
      chromium) [ -x "${CHROMIUM:-/usr/bin/chromium}" ] && continue ;;
      *) command -v "$shown" > /dev/null && continue ;;
    esac
    printf '%s|%s\n' "$package" "$purpose"
  done <<< "$1"
}

# Installs what is missing where that can be done without asking; else says what is.
setup_packages() {
  local missing packages as_root=''
  missing=$(missing_needs "$1")
  [ -n "$missing" ] || return 0
  packages=$(cut -d '|' -f 1 <<< "$missing" | tr '\n' ' ')
  say 'Missing on this machine:'
  sed 's/^\([^|]*\)|/  \1: /' <<< "$missing" >&2
  if ! command -v apt-get > /dev/null; then
    say 'These are the names of Debian packages: install what corresponds to them, then try again.'
    exit 1
  fi
  if [ "$(id -u)" != 0 ]; then
    as_root='sudo -n'
    if ! sudo -n true 2> /dev/null; then
      say "Install them, then try again: sudo apt-get install --no-install-recommends $packages"
      exit 1
    fi
  fi
  say "Installing: $packages"
  $as_root apt-get update -qq >&2
  # Later Debians have a newer Boost, under the plain name only.
  if [[ $packages == *libboost1.81-dev* ]] && ! apt-cache show libboost1.81-dev > /dev/null 2>&1; then
    packages=${packages/libboost1.81-dev/libboost-dev}
  fi
  # shellcheck disable=SC2086  # both are lists of words
  if ! $as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends --no-remove $packages >&2; then
    say 'apt-get failed; the packages above are what is needed.'
    exit 1
  fi
  missing=$(missing_needs "$1")
  if [ -n "$missing" ]; then
    say "Still missing after the installation: $(cut -d '|' -f 1 <<< "$missing" | tr '\n' ' ')"
    exit 1
  fi
}

# Shared by all checkouts and outputs: a second build of the same thing is a copy.
disk_cache() { printf -- '--disk_cache=%s' "${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/mcp-session-bazel"; }

if [ ! -f "$(dirname "${BASH_SOURCE[0]}")/../WORKSPACE" ]; then
  say "tools/setup.sh: not in a checkout of mcp-session"
  exit 1
fi
