"""wasm_module, wasm_cc_test, dual_cc_test and node_test.

Both wasm rules build their dependencies for //wasm/toolchain:platform by a
transition, so a plain `bazel build //wasm:NAME` needs no --config.
"""

load("@rules_cc//cc:cc_library.bzl", "cc_library")
load("@rules_cc//cc:cc_test.bzl", "cc_test")
load("@rules_cc//cc:find_cc_toolchain.bzl", "find_cc_toolchain", "use_cc_toolchain")
load("@rules_cc//cc/common:cc_common.bzl", "cc_common")
load("@rules_cc//cc/common:cc_info.bzl", "CcInfo")
load("//tools:cc.bzl", "MCPS_COPTS")
load("//wasm/toolchain:flags.bzl", "MODULE_LINKOPTS", "TEST_LINKOPTS")

_ALLOWLIST = "@bazel_tools//tools/allowlists/function_transition_allowlist"
_ONLY_WASM = [str(Label("//wasm/toolchain:wasm32"))]
_IMPORTS_TEST = str(Label("//wasm/toolchain:imports_test.mjs"))
_RUNTIME = str(Label("//wasm/toolchain:runtime"))

_WASM = {
    # What is meant for the native compiler (a sanitizer, say) stays there.
    "//command_line_option:copt": [],
    "//command_line_option:cxxopt": ["-std=c++20"],
    "//command_line_option:dynamic_mode": "off",
    "//command_line_option:features": [],
    "//command_line_option:linkopt": [],
    "//command_line_option:platform_suffix": "",
    "//command_line_option:platforms": str(Label("//wasm/toolchain:platform")),
}

# Bazel names the folder of outputs after the options that a transition changed, so that a sanitizer's
# wasm would be built once more. On the way there are therefore values that no configuration has:
# then it is always all of them.
_AWAY = {
    "//command_line_option:copt": ["-away"],
    "//command_line_option:cxxopt": ["-away"],
    "//command_line_option:dynamic_mode": "fully",
    "//command_line_option:features": ["away"],
    "//command_line_option:linkopt": ["-away"],
    "//command_line_option:platform_suffix": "-away",
}

def _away_impl(_settings, _attr):
    return _AWAY

_away = transition(
    implementation = _away_impl,
    inputs = [],
    outputs = _AWAY.keys(),
)

def _test_transition_impl(_settings, _attr):
    return _WASM

# Tests keep the compilation mode: by default quick to link, with assertions.
_test_transition = transition(
    implementation = _test_transition_impl,
    inputs = [],
    outputs = _WASM.keys(),
)

def _module_transition_impl(settings, _attr):
    # Bazel 4 gives an object that is not equal to its own name.
    mode = str(settings["//command_line_option:compilation_mode"])
    result = dict(_WASM)
    result["//command_line_option:compilation_mode"] = "dbg" if mode == "dbg" else "opt"
    result["//command_line_option:features"] = ["wasm_lto"]
    return result

# What is shipped is always optimized, unless -c dbg asks for the opposite.
_module_transition = transition(
    implementation = _module_transition_impl,
    inputs = ["//command_line_option:compilation_mode"],
    outputs = _WASM.keys() + ["//command_line_option:compilation_mode"],
)

def _linked_libraries(deps):
    """(em++'s arguments, the files they name) for what deps bring."""
    linking = cc_common.merge_cc_infos(
        cc_infos = [dep[CcInfo] for dep in deps],
    ).linking_context
    objects = []
    user_flags = []
    inputs = []
    for linker_input in linking.linker_inputs.to_list():
        user_flags += linker_input.user_link_flags
        inputs += linker_input.additional_inputs
        for library in linker_input.libraries:
            archive = library.static_library or library.pic_static_library
            if not archive:
                fail("%s has no static library" % linker_input.owner)
            inputs.append(archive)
            if library.alwayslink:
                objects += ["-Wl,--whole-archive", archive.path, "-Wl,--no-whole-archive"]
            else:
                objects.append(archive.path)
    return objects + user_flags, inputs

def _link(ctx, output, outputs, libraries, linkopts, inputs):
    """Runs em++ with the toolchain's flags."""
    cc_toolchain = find_cc_toolchain(ctx)
    features = cc_common.configure_features(
        ctx = ctx,
        cc_toolchain = cc_toolchain,
        requested_features = ctx.features,
        unsupported_features = ctx.disabled_features,
    )
    variables = cc_common.create_link_variables(
        cc_toolchain = cc_toolchain,
        feature_configuration = features,
        is_linking_dynamic_library = False,
        is_using_linker = True,
        output_file = output.path,
        user_link_flags = libraries[0] + linkopts,
    )
    args = ctx.actions.args()
    args.use_param_file("@%s")
    args.set_param_file_format("shell")
    args.add_all(cc_common.get_memory_inefficient_command_line(
        action_name = "c++-link-executable",
        feature_configuration = features,
        variables = variables,
    ))
    ctx.actions.run(
        arguments = [args],
        env = cc_common.get_environment_variables(
            action_name = "c++-link-executable",
            feature_configuration = features,
            variables = variables,
        ),
        executable = cc_common.get_tool_for_action(
            action_name = "c++-link-executable",
            feature_configuration = features,
        ),
        inputs = depset(inputs + libraries[1], transitive = [cc_toolchain.all_files]),
        mnemonic = "EmLink",
        outputs = outputs,
        progress_message = "Linking %s" % output.short_path,
        use_default_shell_env = True,
    )

# An own action, not cc_binary: em++ writes NAME.wasm beside NAME.js, and cc_binary
# would declare one of them only.
def _program_link_impl(ctx):
    """Links deps into NAME.js and NAME.wasm, for Node."""
    script = ctx.actions.declare_file(ctx.attr.output + ".js")
    wasm = ctx.actions.declare_file(ctx.attr.output + ".wasm")
    _link(ctx, script, [script, wasm], _linked_libraries(ctx.attr.deps), ctx.attr.linkopts, [])
    return [DefaultInfo(files = depset([script, wasm]))]

_program_link = rule(
    implementation = _program_link_impl,
    cfg = _test_transition,
    attrs = {
        "deps": attr.label_list(providers = [CcInfo]),
        "linkopts": attr.string_list(),
        "output": attr.string(mandatory = True),
        "_allowlist_function_transition": attr.label(default = _ALLOWLIST),
    },
    fragments = ["cpp"],
    toolchains = use_cc_toolchain(),
)

# What every engine knows that runs what Emscripten makes today.
_FEATURES = ["--enable-" + feature for feature in [
    "bulk-memory",
    "multivalue",
    "mutable-globals",
    "nontrapping-float-to-int",
    "reference-types",
    "sign-ext",
]]

# Which way of sorting is best differs from module to module by half a percent.
_IN_THE_BEST_ORDER = '''best=; for way in "3 jaccard" "3 cosine" "4 jaccard" "4 cosine"; do
  python3 "$6" "$4.wat" "$4.sorted.wat" $way || exit 1
  "$5" %s --dealign -Oz --converge "$4.sorted.wat" -o "$4.sorted" || exit 1
  size=$(gzip -9nc "$4.sorted" | wc -c)
  if [ -z "$best" ] || [ "$size" -lt "$best" ]; then best=$size; mv -f "$4.sorted" "$4.best"; fi
done; mv -f "$4.best" "$4"'''

def _module_link_impl(ctx):
    """Links deps into NAME.wasm, which exports and imports what the lists say."""
    functions = ctx.actions.declare_file(ctx.attr.output + ".functions.txt")
    library = ctx.actions.declare_file(ctx.attr.output + ".imports.js")
    graph = ctx.actions.declare_file(ctx.attr.output + ".graph.json")
    lists = [ctx.file.exports, ctx.file.imports]
    ctx.actions.run_shell(
        arguments = [f.path for f in [ctx.file._link_inputs] + lists + [functions, library, graph]],
        command = 'exec /bin/sh "$@"',
        inputs = lists + [ctx.file._link_inputs],
        mnemonic = "EmLinkInputs",
        outputs = [functions, library, graph],
    )
    linked = ctx.actions.declare_file(ctx.attr.output + "_linked/" + ctx.attr.output + ".wasm")
    _link(
        ctx,
        linked,
        [linked],
        _linked_libraries(ctx.attr.deps),
        ctx.attr.linkopts + [
            "-sEXPORTED_FUNCTIONS=@" + functions.path,
            "--js-library",
            library.path,
        ],
        [functions, library],
    )

    # Emscripten exports some of its own, for the glue that is not there. What only they needed
    # is gone then, and what is left can be made smaller. More than once, for any other pass takes
    # back what -Oz does last, and with its control flow built anew it finds more. In between the
    # functions are put into the order that compresses best (sort_functions.py), and no hints of
    # alignment are left, which engines do without.
    wasm = ctx.actions.declare_file(ctx.attr.output + ".wasm")
    debug = ctx.var["COMPILATION_MODE"] == "dbg"
    optimize = '"$5" %s -Oz' % " ".join(_FEATURES)
    ctx.actions.run_shell(
        arguments = [
            file.path
            for file in [ctx.file._metadce, graph, linked, wasm, ctx.file._opt, ctx.file._sort_functions]
        ],
        command = " && ".join(
            ['"$1" --all-features %s --graph-file="$2" "$3" -o "$4" > /dev/null' % ("-g" if debug else "")] +
            ([] if debug else [
                optimize + ' --strip-target-features --flatten --rereloop -Oz --flatten --rereloop -Oz "$4" -o "$4"',
                optimize + ' --converge --ssa -Oz "$4" -S -o "$4.wat"',
                _IN_THE_BEST_ORDER % " ".join(_FEATURES),
            ]),
        ),
        inputs = [graph, linked, ctx.file._sort_functions],
        mnemonic = "WasmMetadce",
        outputs = [wasm],
        tools = [ctx.file._metadce, ctx.file._opt],
        use_default_shell_env = True,
    )
    return [DefaultInfo(files = depset([wasm]))]

_module_link = rule(
    implementation = _module_link_impl,
    cfg = _module_transition,
    attrs = {
        "deps": attr.label_list(providers = [CcInfo]),
        "exports": attr.label(allow_single_file = [".txt"], mandatory = True),
        "imports": attr.label(allow_single_file = [".txt"], mandatory = True),
        "linkopts": attr.string_list(),
        "output": attr.string(mandatory = True),
        "_allowlist_function_transition": attr.label(default = _ALLOWLIST),
        "_link_inputs": attr.label(
            allow_single_file = True,
            default = "//wasm/toolchain:link_inputs.sh",
        ),
        "_metadce": attr.label(
            allow_single_file = True,
            default = "@local_emscripten//:wasm-metadce.sh",
        ),
        "_sort_functions": attr.label(
            allow_single_file = True,
            default = "//wasm/toolchain:sort_functions.py",
        ),
        "_opt": attr.label(
            allow_single_file = True,
            default = "@local_emscripten//:wasm-opt.sh",
        ),
    },
    fragments = ["cpp"],
    toolchains = use_cc_toolchain(),
)

def _wasm_files_impl(ctx):
    """Copies the linked files out of the wasm configuration's folder."""
    outputs = []
    for source in ctx.attr.linked[0][DefaultInfo].files.to_list():
        output = ctx.actions.declare_file(source.basename)
        ctx.actions.run_shell(
            arguments = [source.path, output.path],
            command = 'cp -f "$1" "$2"',
            inputs = [source],
            mnemonic = "WasmCopy",
            outputs = [output],
        )
        outputs.append(output)
    return [DefaultInfo(
        files = depset(outputs),
        runfiles = ctx.runfiles(files = outputs),
    )]

_wasm_files = rule(
    implementation = _wasm_files_impl,
    attrs = {
        "linked": attr.label(cfg = _away, mandatory = True),
        "_allowlist_function_transition": attr.label(default = _ALLOWLIST),
    },
)

def _wasm_srcs(name, srcs, deps, copts, testonly):
    """The deps to link: srcs as a library in front of deps."""
    if not srcs:
        return deps
    cc_library(
        name = name + "_srcs",
        srcs = srcs,
        copts = MCPS_COPTS + copts,
        tags = ["manual"],
        target_compatible_with = _ONLY_WASM,
        testonly = testonly,
        deps = deps,
        alwayslink = True,
    )
    return [":%s_srcs" % name]

def wasm_module(name, exports, imports, deps = [], srcs = [], copts = [], linkopts = [], testonly = False, visibility = None, tags = []):
    """NAME.wasm: a standalone reactor module without generated JavaScript.

    NAME_imports_test checks that its exports and imports are the listed ones.

    Always optimized, unless built with -c dbg. The host calls _initialize once,
    then any export. Undefined symbols other than the listed imports fail the link.

    Args:
      name: the target, and the file's name without .wasm.
      exports: text file of the exported functions, one per line, # for comments
        (memory and _initialize are always exported and need not be named).
      imports: text file of the allowed imports, MODULE.NAME one per line.
      deps: what the module is made of.
      srcs: sources of its own; linked whole.
      copts: for srcs.
      linkopts: for em++.
      testonly: as ever.
      visibility: as ever.
      tags: as ever.
    """
    _module_link(
        name = name + "_link",
        exports = exports,
        imports = imports,
        linkopts = MODULE_LINKOPTS + linkopts,
        output = name,
        tags = ["manual"],
        target_compatible_with = _ONLY_WASM,
        testonly = testonly,
        deps = _wasm_srcs(name, srcs, deps, copts, testonly) + [_RUNTIME],
    )
    _wasm_files(
        name = name,
        linked = ":%s_link" % name,
        tags = tags,
        testonly = testonly,
        visibility = visibility,
    )
    node_test(
        name = name + "_imports_test",
        size = "small",
        args = ["$(rootpath %s)" % label for label in [":" + name, exports, imports]],
        data = [":" + name, exports, imports],
        script = _IMPORTS_TEST,
        tags = tags + ["wasm"],
    )

def _node_test_impl(ctx):
    launcher = ctx.actions.declare_file(ctx.label.name + ".sh")
    args = [ctx.expand_location(arg, ctx.attr.data) for arg in ctx.attr.test_args]
    ctx.actions.write(launcher, content = """#!/bin/sh
{gtest}exec "${{NODE:-node}}" {script} {args} "$@"
""".format(
        args = " ".join(args),
        gtest = _GTEST_ARGS if ctx.attr.gtest else "",
        script = [f for f in ctx.files.script if f.extension != "wasm"][0].short_path,
    ), is_executable = True)
    runfiles = ctx.runfiles(files = ctx.files.script + ctx.files.data)
    return [DefaultInfo(executable = launcher, runfiles = runfiles)]

# Bazel speaks to a test through the environment, which a wasm program does not
# see: pass its wishes on as googletest flags.
_GTEST_ARGS = """\
[ -z "${XML_OUTPUT_FILE:-}" ] || set -- "--gtest_output=xml:$XML_OUTPUT_FILE" "$@"
[ -z "${TESTBRIDGE_TEST_ONLY:-}" ] || set -- "--gtest_filter=$TESTBRIDGE_TEST_ONLY" "$@"
"""

_node_test = rule(
    implementation = _node_test_impl,
    attrs = {
        "data": attr.label_list(allow_files = True),
        "gtest": attr.bool(),
        "script": attr.label(allow_files = True, mandatory = True),
        "test_args": attr.string_list(),
    },
    test = True,
)

def node_test(name, script, data = [], args = [], tags = [], **kwargs):
    """Runs `node SCRIPT ARGS`; ARGS may hold $(rootpath LABEL) of data.

    Node resolves the script's link to the source tree, and relative imports with it:
    hand built files over as ARGS. Tags that choose tests: "browser" needs Chromium,
    "sdk" the packages of tests/package.json (have //tests:npm in data).
    """
    _node_test(name = name, data = data, script = script, tags = tags + ["node"], test_args = args, **kwargs)

def wasm_cc_test(name, srcs, deps, copts = [], linkopts = [], size = "small", tags = [], **kwargs):
    """The googletest in srcs, built as wasm and run by Node."""
    _program_link(
        name = name + "_link",
        linkopts = TEST_LINKOPTS + linkopts,
        output = name + "_bin",
        tags = ["manual"],
        target_compatible_with = _ONLY_WASM,
        testonly = True,
        deps = _wasm_srcs(name, srcs, deps, copts, True),
    )
    _wasm_files(
        name = name + "_bin",
        linked = ":%s_link" % name,
        tags = ["manual"],
        testonly = True,
        visibility = ["//visibility:private"],
    )
    _node_test(
        name = name,
        gtest = True,
        script = ":%s_bin" % name,
        size = size,
        tags = tags + ["wasm"],
        **kwargs
    )

def dual_cc_test(name, srcs, deps, size = "small", copts = [], **kwargs):
    """One googletest on both targets: NAME natively and NAME_wasm under Node.

    Files in data are read by their path from the workspace's root on both.
    """
    cc_test(name = name, srcs = srcs, size = size, copts = MCPS_COPTS + copts, deps = deps, **kwargs)
    wasm_cc_test(name = name + "_wasm", srcs = srcs, size = size, copts = copts, deps = deps, **kwargs)
