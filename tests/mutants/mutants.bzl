"""Mutants: this project's own code with a bug put into one of its files, and the test that notices.

A mutant is compiled from that file alone, into a shared library, which is then loaded in front of
those that the test is linked with: what it defines is used instead of theirs. So nothing else is
compiled or linked again, and the code that is shipped knows nothing of it.
"""

load("@rules_cc//cc:cc_library.bzl", "cc_library")

# Arguments: file, what to find, what to put there, mutated file.
_MUTATE = """
text=$(< "$1")
rest=${text#*"$2"}
if [[ $rest == "$text" || $rest == *"$2"* ]]; then
  printf '%s has not exactly one of what the mutant is to change:\\n%s\\n' "$1" "$2" >&2
  exit 1
fi
printf '%s%s%s\\n' "${text%%"$2"*}" "$3" "$rest" > "$4"
"""

def _mutated_sources_impl(ctx):
    sources = {source.basename: source for source in ctx.files.sources}
    original = sources[ctx.attr.file]
    mutated = ctx.actions.declare_file("%s/%s" % (ctx.label.name, original.short_path))
    ctx.actions.run_shell(
        inputs = [original],
        outputs = [mutated],
        command = _MUTATE,
        arguments = [original.path, ctx.attr.find, ctx.attr.replace, mutated.path],
        mnemonic = "Mutate",
    )
    files = [mutated]
    if ctx.attr.unit != ctx.attr.file:
        source = sources[ctx.attr.unit]
        unit = ctx.actions.declare_file("%s/%s" % (ctx.label.name, source.short_path))
        ctx.actions.symlink(output = unit, target_file = source)
        files.append(unit)
    return [DefaultInfo(files = depset(files))]

_mutated_sources = rule(
    implementation = _mutated_sources_impl,
    attrs = {
        "file": attr.string(mandatory = True),
        "find": attr.string(mandatory = True),
        "replace": attr.string(),
        "sources": attr.label(mandatory = True),
        "unit": attr.string(mandatory = True),
    },
)

# The shared library of a cc_library: its own code and nothing it depends on.
def _shared_library(target):
    for linked in target[CcInfo].linking_context.linker_inputs.to_list():
        if linked.owner == target.label:
            return linked.libraries[0].resolved_symlink_dynamic_library
    return fail("%s has no code" % target.label)

def _mutant_test_impl(ctx):
    libraries = [_shared_library(ctx.attr._only_here), _shared_library(ctx.attr.library)]
    words = [ctx.file._run, ctx.executable.test] + libraries
    run = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.write(
        output = run,
        content = "#!/bin/bash\nexec %s --gtest_filter='%s'\n" %
                  (" ".join([word.short_path for word in words]), ctx.attr.filter),
        is_executable = True,
    )
    runfiles = ctx.runfiles(files = words).merge(ctx.attr.test[DefaultInfo].default_runfiles)
    return [DefaultInfo(executable = run, runfiles = runfiles)]

_mutant_test = rule(
    implementation = _mutant_test_impl,
    test = True,
    attrs = {
        "filter": attr.string(mandatory = True),
        "library": attr.label(mandatory = True, providers = [CcInfo]),
        "test": attr.label(mandatory = True, executable = True, cfg = "target"),
        "_only_here": attr.label(default = "//tests/mutants:only_here"),
        "_run": attr.label(default = "//tests/mutants:run.sh", allow_single_file = True),
    },
)

def mutant(name, filter, find, replace = "", test = None):
    """One bug, for mutants().

    Args:
      name: says what the bug is.
      filter: of the test, in the words of --gtest_filter: what has to fail.
      find: text of which there is exactly one in the file. The shorter, the longer it lives.
      replace: what is there instead.
      test: if it is another one than that of mutants().
    """
    return struct(name = name, find = find, replace = replace, filter = filter, test = test)

def mutants(library, file, bugs, test = None, unit = None):
    """Tests, one for each bug, which pass if the bug is noticed: if an assertion fails.

    Args:
      library: whose file it is; its package has a filegroup `sources`.
      file: the name of the file in that package.
      bugs: what mutant() makes.
      test: a googletest that is linked with the library.
      unit: the one source that includes the file, if that is a header.
    """
    package = Label(library).package
    for bug in bugs:
        sources = bug.name + "_sources"
        _mutated_sources(
            name = sources,
            file = file,
            find = bug.find,
            replace = bug.replace,
            sources = "//%s:sources" % package,
            tags = ["manual"],
            testonly = True,
            unit = unit or file,
        )
        cc_library(
            name = bug.name + "_library",
            srcs = [sources],
            # The mutated header is found first.
            copts = ["-iquote$(GENDIR)/%s/%s/%s" % (
                native.package_name(),
                sources,
                package.split("/")[0],
            )],
            tags = ["manual"],
            testonly = True,
            textual_hdrs = ["//%s:sources" % package],
            deps = [library],
        )
        _mutant_test(
            name = bug.name,
            size = "small",
            filter = bug.filter,
            library = bug.name + "_library",
            tags = ["mutant"],
            test = bug.test or test,
        )
