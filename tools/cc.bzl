"""cc_library, cc_binary and cc_test as this project builds its own code."""

load("@rules_cc//cc:cc_binary.bzl", "cc_binary")
load("@rules_cc//cc:cc_library.bzl", "cc_library")
load("@rules_cc//cc:cc_test.bzl", "cc_test")

# For our own sources only; warnings are errors under --config=werror.
MCPS_COPTS = [
    "-Wall",
    "-Wextra",
    # `Options{.ttl = x}` leaves the other fields at their defaults on purpose.
    "-Wno-missing-field-initializers",
] + select({
    str(Label("//tools:werror")): ["-Werror"],
    "//conditions:default": [],
}) + select({
    # Optimizing, GCC 12 sees variants and optionals that nobody set. Clang knows
    # no such warning, and says so unless told.
    str(Label("//tools:opt")): ["-Wno-maybe-uninitialized", "-Wno-unknown-warning-option"],
    "//conditions:default": [],
})

# `#include "mcp_session/..."` starts from these folders.
_INCLUDE_ROOTS = ["src", "native"]

def mcps_include_root():
    """Called once in the package of each include root; see mcps_cc_library."""

    # A library's `includes` may not point above its own package.
    cc_library(
        name = "include_root",
        includes = ["."],
        visibility = ["//visibility:public"],
    )

_ROOT_LIBRARIES = {root: str(Label("//%s:include_root" % root)) for root in _INCLUDE_ROOTS}

def _own_copts():
    # `includes` makes our headers system headers, in which compilers do not warn;
    # found by this first, they are ordinary ones. (Elsewhere they are a user's
    # third-party code, and quiet.)
    if native.repository_name() not in ["@", ""]:
        return MCPS_COPTS
    return MCPS_COPTS + ["-iquote%s" % root for root in _INCLUDE_ROOTS]

def mcps_cc_library(name, copts = [], deps = [], **kwargs):
    """A cc_library of this project; src's and native's headers are included as mcp_session/..."""
    root = _ROOT_LIBRARIES.get(native.package_name().split("/")[0])
    cc_library(
        name = name,
        copts = _own_copts() + copts,
        deps = ([root] if root else []) + deps,
        **kwargs
    )

def mcps_mutant_sources():
    """The sources of this folder, each of which a mutant is with a bug."""
    native.filegroup(
        name = "sources",
        srcs = native.glob([
            "*.cc",
            "*.h",
        ]),
        visibility = ["//tests/mutants:__subpackages__"],
    )

def mcps_cc_binary(name, copts = [], **kwargs):
    """A cc_binary of this project."""
    cc_binary(name = name, copts = _own_copts() + copts, **kwargs)

def mcps_cc_test(name, copts = [], size = "small", **kwargs):
    """A native googletest of this project; see dual_cc_test for both targets."""
    cc_test(name = name, copts = _own_copts() + copts, size = size, **kwargs)
