"""Finds Emscripten and makes the repository that holds its C++ toolchain."""

load(":flags.bzl", "ALWAYS", "LTO", "MODES", "MODULE_LINKOPTS", "TEST_LINKOPTS")

# Bazel gives an action next to no environment: the tool's own is set here.
_WRAPPER = """#!/bin/sh
{exports}
exec '{path}' "$@"
"""

_MISSING = """#!/bin/sh
echo 'Emscripten was not found: install it (Debian: apt-get install emscripten)' >&2
echo 'or set EMSCRIPTEN_ROOT to the folder that holds em++, then build again.' >&2
exit 1
"""

_BUILD = """
load("@rules_cc//cc/toolchains:cc_toolchain.bzl", "cc_toolchain")
load("{config_bzl}", "emscripten_cc_toolchain_config")

package(default_visibility = ["//visibility:public"])

exports_files([
    "wasm-metadce.sh",
    "wasm-opt.sh",
])

filegroup(
    name = "tools",
    srcs = glob(["*.sh"]),
)

emscripten_cc_toolchain_config(
    name = "config",
    builtin_include_directories = {include_dirs},
)

cc_toolchain(
    name = "cc_toolchain",
    all_files = ":tools",
    ar_files = ":tools",
    as_files = ":tools",
    compiler_files = ":tools",
    dwp_files = ":tools",
    linker_files = ":tools",
    objcopy_files = ":tools",
    strip_files = ":tools",
    supports_param_files = True,
    toolchain_config = ":config",
    toolchain_identifier = "emscripten",
)
"""

def _include_dirs(rctx, wrapper):
    """The folders em++ searches by itself, as it prints them."""
    result = rctx.execute([wrapper, "-v", "-E", "-x", "c++", "/dev/null"])
    if result.return_code != 0:
        fail("em++ failed:\n" + result.stderr)
    dirs = []
    listing = False
    for line in result.stderr.split("\n"):
        if line.startswith("#include <...>"):
            listing = True
        elif line.startswith("End of search list"):
            listing = False
        elif listing:
            dirs.append(line.strip())
    return dirs

_PROBE = """
#include <string>
int main(int argc, char**) { return std::string(argc, 'a').size() == 0; }
"""

def _fill_cache(rctx, wrapper):
    """Links a program in each way the rules link one.

    Some Emscriptens build their system libraries as they are needed, into a cache
    that an action in Bazel's sandbox cannot write: so here, before any action.
    """
    rctx.report_progress("Building Emscripten's system libraries (some minutes, once)")
    rctx.file("probe.cc", _PROBE)
    builds = [("opt", LTO, MODULE_LINKOPTS), ("dbg", [], MODULE_LINKOPTS)]
    builds += [(mode, [], TEST_LINKOPTS) for mode in MODES]
    for mode, lto, linkopts in builds:
        compile_flags, link_flags = MODES[mode]
        for flags in [
            ["-std=c++20", "-c", "probe.cc", "-o", "probe.o"] + compile_flags,
            ["probe.o", "-o", "probe.wasm" if linkopts == MODULE_LINKOPTS else "probe.js"] + linkopts + link_flags,
        ]:
            result = rctx.execute([wrapper] + flags + ALWAYS + lto, timeout = 3600)
            if result.return_code != 0:
                fail("em++ failed:\n" + result.stderr)

def _write_wrappers(rctx, compiler, exports):
    for tool in ["emcc", "em++", "emar"]:
        rctx.file(tool + ".sh", _WRAPPER.format(
            exports = "\n".join(["export %s='%s'" % item for item in exports.items()]),
            path = compiler.dirname.get_child(tool),
        ) if compiler else _MISSING, executable = True)

    # Binaryen's tools are where Emscripten itself looks for them.
    folder = ""
    if compiler:
        config = rctx.execute([compiler.dirname.get_child("em-config"), "BINARYEN_ROOT"], environment = exports)
        folder = config.stdout.strip() + "/bin/"
    for tool in ["wasm-metadce", "wasm-opt"]:
        rctx.file(tool + ".sh", _WRAPPER.format(
            exports = "",
            path = folder + tool,
        ) if compiler else _MISSING, executable = True)
    return rctx.path("em++.sh")

def _emscripten_configure_impl(rctx):
    environ = rctx.os.environ
    root = environ.get("EMSCRIPTEN_ROOT", "")
    if not root and environ.get("EMSDK", ""):
        root = environ["EMSDK"] + "/upstream/emscripten"
    compiler = rctx.path(root + "/em++") if root else rctx.which("em++")
    found = compiler != None and compiler.exists
    exports = {"PYTHONDONTWRITEBYTECODE": "1"}
    if environ.get("EM_CONFIG", ""):
        exports["EM_CONFIG"] = environ["EM_CONFIG"]

    # Debian's emcc needs acorn, which lies where only Debian's own node looks.
    if rctx.path("/usr/share/nodejs/acorn").exists:
        exports["NODE_PATH"] = "/usr/share/nodejs"
    frozen = True
    if found:
        config = rctx.execute([compiler.dirname.get_child("em-config"), "FROZEN_CACHE"], environment = exports)
        frozen = config.stdout.strip() in ["True", "1"]
        if not frozen:
            exports["EM_CACHE"] = str(rctx.path("cache"))
    wrapper = _write_wrappers(rctx, compiler if found else None, exports)
    if not frozen:
        _fill_cache(rctx, wrapper)
        exports["EM_FROZEN_CACHE"] = "1"
        _write_wrappers(rctx, compiler, exports)
    config_bzl = str(Label("//wasm/toolchain:cc_toolchain_config.bzl"))
    rctx.file("WORKSPACE", "")
    rctx.file("BUILD.bazel", _BUILD.format(
        # Bazel 4 writes the main repository's labels without an @.
        config_bzl = "@" + config_bzl if config_bzl.startswith("//") else config_bzl,
        include_dirs = repr(_include_dirs(rctx, wrapper) if found else []),
    ))

emscripten_configure = repository_rule(
    implementation = _emscripten_configure_impl,
    configure = True,
    environ = ["EMSCRIPTEN_ROOT", "EMSDK", "EM_CONFIG", "PATH"],
)
