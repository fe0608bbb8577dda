"""Repositories made from what the machine already has: nothing is downloaded.

A WORKSPACE calls mcp_session_repositories() and has all that this project's
targets need. Each repository is looked at only when something depends on it, and
one that the workspace declared before (its own @nlohmann_json, say) is kept.
"""

load("//wasm/toolchain:configure.bzl", "emscripten_configure")

# Bazel before 5.3 has no config_common.toolchain_type. (native.bazel_version is
# empty in Debian's Bazel, so the version itself says nothing.)
_OLD_BAZEL = not hasattr(config_common, "toolchain_type")

# What Bazel 4 has built in, under the names that rules_cc gives it today: so the
# same load() statements serve every Bazel.
_RULES_CC = {
    "cc/cc_binary.bzl": "cc_binary = native.cc_binary",
    "cc/cc_library.bzl": "cc_library = native.cc_library",
    "cc/cc_test.bzl": "cc_test = native.cc_test",
    "cc/cc_toolchain_config_lib.bzl": """
load("@bazel_tools//tools/cpp:cc_toolchain_config_lib.bzl", _feature = "feature", _flag_group = "flag_group", _flag_set = "flag_set", _tool_path = "tool_path", _with_feature_set = "with_feature_set")
feature = _feature
flag_group = _flag_group
flag_set = _flag_set
tool_path = _tool_path
with_feature_set = _with_feature_set
""",
    "cc/common/cc_common.bzl": """
load("//private:native.bzl", "native_cc_common")
cc_common = native_cc_common
""",
    "cc/common/cc_info.bzl": """
load("//private:native.bzl", "NativeCcInfo")
CcInfo = NativeCcInfo
""",
    # Loaded by Bazel's own BUILD files.
    "cc/defs.bzl": "\n".join([
        "{0} = native.{0}".format(rule)
        for rule in ["cc_binary", "cc_import", "cc_library", "cc_proto_library", "cc_test", "cc_toolchain", "cc_toolchain_suite", "objc_import", "objc_library"]
    ]),
    "cc/find_cc_toolchain.bzl": """
load("@bazel_tools//tools/cpp:toolchain_utils.bzl", "find_cpp_toolchain")
find_cc_toolchain = find_cpp_toolchain
def use_cc_toolchain():
    return ["@bazel_tools//tools/cpp:toolchain_type"]
""",
    "cc/toolchains/cc_toolchain.bzl": "cc_toolchain = native.cc_toolchain",
    "cc/toolchains/cc_toolchain_config_info.bzl": """
load("//private:native.bzl", "NativeCcToolchainConfigInfo")
CcToolchainConfigInfo = NativeCcToolchainConfigInfo
""",
    # Starlark cannot export a built-in under its own name in one step.
    "private/native.bzl": """
NativeCcInfo = CcInfo
NativeCcToolchainConfigInfo = CcToolchainConfigInfo
native_cc_common = cc_common
""",
}

_RULES_JAVA = {
    "java/defs.bzl": "\n".join([
        "{0} = native.{0}".format(rule)
        for rule in ["java_binary", "java_import", "java_library", "java_lite_proto_library", "java_package_configuration", "java_plugin", "java_proto_library", "java_runtime", "java_test", "java_toolchain"]
    ]),
}

def _stub_impl(rctx):
    rctx.file("WORKSPACE", "")
    rctx.file("BUILD.bazel", rctx.attr.build)
    for path, content in rctx.attr.files.items():
        rctx.file(path, content + "\n")
        if path.endswith(".bzl"):
            rctx.file(path.rpartition("/")[0] + "/BUILD.bazel", "")

_stub = repository_rule(
    doc = "A repository made of the given files.",
    implementation = _stub_impl,
    attrs = {
        "build": attr.string(),
        "files": attr.string_dict(),
    },
)

_NO_COVERAGE_TOOLS = """
package(default_visibility = ["//visibility:public"])

[
    sh_binary(name = name, srcs = ["unavailable.sh"])
    for name in ["coverage_report_generator", "lcov_merger"]
]
"""

def _declare(rule, name, **kwargs):
    if not native.existing_rule(name):
        rule(name = name, **kwargs)

def offline_bazel_repositories():
    """Replaces the three archives that Bazel 4 downloads before any C++ build."""
    if not _OLD_BAZEL:
        return
    _declare(_stub, name = "rules_cc", files = _RULES_CC)
    _declare(_stub, name = "rules_java", files = _RULES_JAVA)
    _declare(
        _stub,
        name = "remote_coverage_tools",
        build = _NO_COVERAGE_TOOLS,
        files = {"unavailable.sh": "#!/bin/sh\necho 'no coverage tools here' >&2\nexit 1"},
    )

def _missing(rctx, what):
    fail("\n\n%s is missing: install the package %s (apt-get install %s)\n" % (
        what,
        rctx.attr.package,
        rctx.attr.package,
    ))

def _system_tree_impl(rctx):
    rctx.file("WORKSPACE", "")
    for link, target in rctx.attr.links.items():
        path = rctx.path(target)
        if not path.exists:
            _missing(rctx, target)
        rctx.symlink(path, link)
    rctx.file("BUILD.bazel", rctx.attr.build)

_system_tree = repository_rule(
    doc = "A repository of symlinks into the system, exposing those folders and no more.",
    implementation = _system_tree_impl,
    attrs = {
        "build": attr.string(mandatory = True),
        "links": attr.string_dict(mandatory = True),
        "package": attr.string(mandatory = True),
    },
    local = True,
)

def _system_library_impl(rctx):
    rctx.file("WORKSPACE", "")
    for header in rctx.attr.headers:
        path = rctx.path("/usr/include/" + header)

        # Some libraries' headers are in the folder of the machine's architecture.
        multiarch = [
            rctx.path("%s/%s" % (entry, header))
            for entry in rctx.path("/usr/include").readdir()
            if entry.basename.endswith("-linux-gnu")
        ]
        if not [p for p in [path] + multiarch if p.exists]:
            _missing(rctx, "<%s>" % header)
    if rctx.attr.version_macro:
        text = rctx.read("/usr/include/" + rctx.attr.headers[0])
        version = int(text.split("#define %s " % rctx.attr.version_macro)[1].split("\n")[0].strip())
        if version < rctx.attr.version_at_least:
            _missing(rctx, "<%s> of version %d or newer (%d is installed)" % (
                rctx.attr.headers[0],
                rctx.attr.version_at_least,
                version,
            ))
    rctx.file("BUILD.bazel", rctx.attr.build)

_system_library = repository_rule(
    doc = "Names a library on the native compiler's default paths. Only for native targets.",
    implementation = _system_library_impl,
    attrs = {
        "build": attr.string(mandatory = True),
        "headers": attr.string_list(mandatory = True),
        "package": attr.string(mandatory = True),
        "version_at_least": attr.int(),
        "version_macro": attr.string(),
    },
    local = True,
)

_TREE_BUILD = """
load("@rules_cc//cc:cc_library.bzl", "cc_library")

cc_library(
    name = "{name}",
    hdrs = glob(["include/**/*.hpp"]),
    includes = ["include"],
    visibility = ["//visibility:public"],
)
"""

_LIBRARY_BUILD = """
load("@rules_cc//cc:cc_library.bzl", "cc_library")

[
    cc_library(
        name = name,
        defines = {defines},
        linkopts = {linkopts},
        visibility = ["//visibility:public"],
    )
    for name in {names}
]
"""

def _tree(name, target, folder, package):
    _declare(
        _system_tree,
        name = name,
        build = _TREE_BUILD.format(name = target),
        links = {"include/" + folder: "/usr/include/" + folder},
        package = package,
    )

def _library(name, targets, headers, package, linkopts, defines = [], **kwargs):
    _declare(
        _system_library,
        name = name,
        build = _LIBRARY_BUILD.format(
            defines = repr(defines),
            linkopts = repr(linkopts),
            names = repr(targets),
        ),
        headers = headers,
        package = package,
        **kwargs
    )

_GTEST_BUILD = """
load("@rules_cc//cc:cc_library.bzl", "cc_library")

# From sources, so that the tests can be wasm and be instrumented.
cc_library(
    name = "gtest",
    srcs = glob(
        ["googletest/src/*.cc", "googletest/src/*.h", "googlemock/src/*.cc"],
        exclude = ["googletest/src/gtest-all.cc", "googletest/src/gtest_main.cc", "googlemock/src/gmock-all.cc", "googlemock/src/gmock_main.cc"],
    ),
    hdrs = glob(["googletest/include/**/*.h", "googlemock/include/**/*.h"]),
    copts = ["-w"],
    includes = ["googlemock/include", "googletest", "googletest/include"],
    linkopts = select({
        "@platforms//os:linux": ["-pthread"],
        "//conditions:default": [],
    }),
    visibility = ["//visibility:public"],
)

cc_library(
    name = "gtest_main",
    srcs = ["googlemock/src/gmock_main.cc"],
    copts = ["-w"],
    visibility = ["//visibility:public"],
    deps = [":gtest"],
)
"""

def system_repositories():
    """The third-party code, and the Emscripten SDK."""

    # For both targets: trees of their own, since em++ must not see /usr/include.
    _tree("nlohmann_json", "json", "nlohmann", "nlohmann-json3-dev")
    _tree("expected", "expected", "tl", "libexpected-dev")
    _declare(
        _system_tree,
        name = "googletest",
        build = _GTEST_BUILD,
        links = {
            "googlemock": "/usr/src/googletest/googlemock",
            "googletest": "/usr/src/googletest/googletest",
        },
        package = "googletest",
    )

    # For native targets.
    _tree("cli11", "cli11", "CLI", "libcli11-dev")
    _tree("valijson", "valijson", "valijson", "libvalijson-dev")
    _library(
        name = "boost",
        targets = ["asio", "beast"],
        defines = [
            "BOOST_ASIO_DISABLE_BOOST_COROUTINE",
            "BOOST_ASIO_NO_DEPRECATED",
        ],
        headers = ["boost/version.hpp", "boost/beast.hpp"],
        linkopts = ["-pthread"],
        package = "libboost1.81-dev",
        version_at_least = 108100,
        version_macro = "BOOST_VERSION",
    )
    _library(
        name = "google_benchmark",
        targets = ["benchmark_main"],
        headers = ["benchmark/benchmark.h"],
        linkopts = ["-lbenchmark_main", "-lbenchmark", "-pthread"],
        package = "libbenchmark-dev",
    )
    _library(
        name = "hiredis",
        targets = ["hiredis"],
        headers = ["hiredis/hiredis.h"],
        linkopts = ["-lhiredis"],
        package = "libhiredis-dev",
    )
    _library(
        name = "openssl",
        targets = ["ssl"],
        headers = ["openssl/ssl.h"],
        linkopts = ["-lssl", "-lcrypto"],
        package = "libssl-dev",
    )
    _library(
        name = "re2",
        targets = ["re2"],
        headers = ["re2/re2.h"],
        linkopts = ["-lre2"],
        package = "libre2-dev",
    )
    _library(
        name = "sqlite",
        targets = ["sqlite"],
        headers = ["sqlite3.h"],
        linkopts = ["-lsqlite3"],
        package = "libsqlite3-dev",
    )
    _declare(emscripten_configure, name = "local_emscripten")

def mcp_session_repositories():
    """All that a WORKSPACE has to call; see tests/consumer/WORKSPACE for a user's."""
    offline_bazel_repositories()
    system_repositories()

    # With its name: in a user's workspace //wasm would be the user's.
    native.register_toolchains("@mcp_session//wasm/toolchain:wasm32_toolchain")
