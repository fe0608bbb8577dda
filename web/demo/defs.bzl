"""site: the files of a web site in one folder, each at the path it is served under."""

def _path_in_package(file):
    """The file's path from the folder of its BUILD file, in whichever repository that is."""
    return file.short_path.partition(file.owner.package + "/")[2]

def _site_impl(ctx):
    placed = [("", file) for file in ctx.files.pages]
    placed += [(ctx.attr.module + "/", file) for file in ctx.files.module_files]
    outputs = []
    for folder, source in placed:
        path = ctx.label.name + "/" + folder + _path_in_package(source)
        output = ctx.actions.declare_file(path)
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
        "module_files": attr.label_list(
            allow_files = True,
            doc = "Each at its path in its own package, below `module`.",
            mandatory = True,
        ),
        "pages": attr.label_list(
            allow_files = True,
            doc = "Each at its path in its own package.",
            mandatory = True,
        ),
    },
)
