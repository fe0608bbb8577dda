"""site: the files of a web site in one folder, each at the path it is served under."""

def _site_impl(ctx):
    placed = [("", [ctx.label.package], file) for file in ctx.files.pages]
    placed += [(ctx.attr.module + "/", ctx.attr.module_roots, file) for file in ctx.files.module_files]
    outputs = []
    for folder, roots, source in placed:
        path = source.short_path
        for root in roots:
            if path.startswith(root + "/"):
                path = path[len(root) + 1:]
                break
        output = ctx.actions.declare_file(ctx.label.name + "/" + folder + path)
        ctx.actions.run_shell(
            arguments = [source.path, output.path],
            command = 'cp -f "$1" "$2"',
            inputs = [source],
            mnemonic = "SiteCopy",
            outputs = [output],
        )
        outputs.append(output)
    return [DefaultInfo(files = depset(outputs), runfiles = ctx.runfiles(files = outputs))]

site = rule(
    doc = "Copies files to NAME/PATH, where PATH is the one they are served under.",
    implementation = _site_impl,
    attrs = {
        "module": attr.string(doc = "The folder of module_files.", mandatory = True),
        "module_files": attr.label_list(allow_files = True, mandatory = True),
        "module_roots": attr.string_list(
            doc = "A module file's path begins after the first of these packages that it is in.",
        ),
        "pages": attr.label_list(
            allow_files = True,
            doc = "Files of this package, served at its root.",
            mandatory = True,
        ),
    },
)
