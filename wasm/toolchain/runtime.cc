// Answers what Emscripten's standalone library would otherwise import from the
// host, so that a module imports only what its own list names. Weak, because
// which of these the library itself defines depends on its release.

extern "C" {

// The host re-reads memory.buffer instead of being told.
__attribute__((weak)) void emscripten_notify_memory_growth(int) {}

// Reached through abort() alone: a trap, which the host sees as RuntimeError.
[[noreturn]] __attribute__((weak)) void __wasi_proc_exit(int) { __builtin_trap(); }

}  // extern "C"
