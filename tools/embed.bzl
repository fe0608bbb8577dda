"""embed_files: files of the repository as part of a program."""

load(":cc.bzl", "mcps_cc_library")

def _embed_impl(ctx):
    args = ctx.actions.args()
    args.add_all([ctx.outputs.header, ctx.outputs.source])
    args.add(ctx.attr.namespace)
    for file in ctx.files.files:
        path = file.short_path
        for prefix in ctx.attr.strip_prefixes:
            if path.startswith(prefix):
                path = path[len(prefix):]
                break
        args.add(path)
        args.add(file)
    ctx.actions.run(
        arguments = [args],
        executable = ctx.executable._embed,
        inputs = ctx.files.files,
        mnemonic = "Embed",
        outputs = [ctx.outputs.header, ctx.outputs.source],
    )

_embed = rule(
    implementation = _embed_impl,
    attrs = {
        "files": attr.label_list(allow_files = True),
        "header": attr.output(mandatory = True),
        "namespace": attr.string(mandatory = True),
        "source": attr.output(mandatory = True),
        "strip_prefixes": attr.string_list(),
        "_embed": attr.label(cfg = "exec", default = "//tools:embed", executable = True),
    },
)

def embed_files(name, files, namespace, strip_prefixes = [], tags = [], **kwargs):
    """A library whose NAME.h gives NAMESPACE::EmbeddedFiles() and FindEmbeddedFile(path).

    Args:
      name: the target, and the header's name without .h.
      files: files, or targets that make them.
      namespace: the C++ namespace; one embed_files each.
      strip_prefixes: a file's path is the one from the repository's root, less the
        first of these that it begins with.
      tags: as ever.
      **kwargs: for the library.
    """
    _embed(
        name = name + "_sources",
        files = files,
        header = name + ".h",
        namespace = namespace,
        source = name + ".cc",
        strip_prefixes = strip_prefixes,
        tags = tags,
    )
    mcps_cc_library(
        name = name,
        srcs = [name + ".cc"],
        hdrs = [name + ".h"],
        tags = tags,
        **kwargs
    )
