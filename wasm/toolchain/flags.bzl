"""The flags em++ is given, in one place: the toolchain, the rules and the cache."""

# Every object and the link must agree: it chooses the variant of libc++.
ALWAYS = [
    "-fno-exceptions",
    "-fno-rtti",
]

# By compilation mode: (compile flags, link flags). A shipped module is always
# opt (see defs.bzl), so its speed and size are decided in the last line: -Oz, for
# what a page downloads has a budget (tests/web), and -O2 is a third more of it.
MODES = {
    "dbg": (["-O0", "-g"], ["-O0", "-g"]),
    "fastbuild": (["-O1"], ["-O1"]),
    "opt": (["-Oz", "-DNDEBUG"], ["-Oz"]),
}

LTO = ["-flto"]

# A module without glue: one .wasm whose host calls _initialize, then its exports.
# What WASI would otherwise be asked for is answered by runtime.cc.
MODULE_LINKOPTS = [
    "--no-entry",
    "-sALLOW_MEMORY_GROWTH=1",
    "-sASSERTIONS=0",
    "-sFILESYSTEM=0",
    # 10 kB less than the default allocator; the module is single-threaded.
    "-sMALLOC=emmalloc",
    # The defaults, 5 MB of stack in 16 MB of memory, are for programs; pages hold
    # many of these.
    "-sINITIAL_MEMORY=1048576",
    "-sTOTAL_STACK=262144",
    "-sSTANDALONE_WASM=1",
    "-sSUPPORT_LONGJMP=0",
    # The stack grows down to address 0, so that overflowing it traps instead of
    # overwriting data.
    "-Wl,--stack-first",
]

# A program for Node with the machine's own files. Compiled at once: else
# Emscripten 3.1.6 takes Node's fetch for a browser's and fails.
TEST_LINKOPTS = [
    "-sALLOW_MEMORY_GROWTH=1",
    "-sASSERTIONS=1",
    "-sENVIRONMENT=node",
    "-sEXIT_RUNTIME=1",
    "-sNODERAWFS=1",
    "-sWASM_ASYNC_COMPILATION=0",
]
