"""A fuzzer, and the test that runs it without libFuzzer."""

load("@rules_cc//cc:cc_binary.bzl", "cc_binary")
load("//tools:cc.bzl", "mcps_cc_library", "mcps_cc_test")

def fuzzer(name, deps):
    """NAME.cc defines LLVMFuzzerTestOneInput; corpus/NAME (without _fuzz) has inputs to begin with.

    Makes NAME, for `bazel run --config=fuzz`, and NAME_test, for everybody.
    """
    corpus = "corpus/" + name[:-len("_fuzz")]
    mcps_cc_library(
        name = name + "_one",
        testonly = True,
        srcs = [name + ".cc"],
        deps = deps,
        alwayslink = True,
    )
    cc_binary(
        name = name,
        testonly = True,
        linkopts = ["-fsanitize=fuzzer"],
        tags = ["manual"],
        deps = [":" + name + "_one"],
    )
    mcps_cc_test(
        name = name + "_test",
        srcs = ["fuzz_test.cc"],
        data = native.glob([corpus + "/*"]),
        local_defines = ['FUZZ_CORPUS=\\"%s/%s\\"' % (native.package_name(), corpus)],
        deps = [
            ":" + name + "_one",
            "//tests/support",
            "@googletest//:gtest_main",
        ],
    )
