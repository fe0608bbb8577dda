// Loaded with a mutant: what the test starts, a redis-server for instance, runs without it.
#include <cstdlib>

namespace {

[[gnu::constructor]] void PreloadNothingElsewhere() { unsetenv("LD_PRELOAD"); }

}  // namespace
