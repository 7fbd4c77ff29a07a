"""Command `offline_plots`: let `dvc plots show` write pages that need no network."""

import subprocess
from pathlib import Path

import click

from stages.common.command_line.command import stage
from stages.common.command_line.errors import StageError
from stages.common.files.artifacts import Artifacts

# DVC looks for the template from its folder .dvc; git ignores .dvc/tmp.
_TEMPLATE = "tmp/plots.html"
_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Plots</title>
<script>{library}</script>
</head>
<body>
{{plot_divs}}
</body>
</html>
"""


@stage("offline_plots")
def main() -> None:
    """Write a template with the plotting library Vega for the pages of `dvc plots`.

    By default, such a page loads Vega from the network each time it is opened. The template and its
    setting in .dvc/config.local are in this clone only.

    \b
    Example:
      python -m tools.offline_plots && dvc plots show
    """
    try:
        from vl_convert import javascript_bundle
    except ImportError as error:
        raise StageError(
            "offline_plots: expected the package vl-convert-python, which has Vega; install it: "
            "pip install -c constraints.txt -e '.[plots]'"
        ) from error
    if not Path(".dvc").is_dir():
        raise StageError("offline_plots: expected the folder .dvc; run it in the project's folder.")
    # DVC's charts are written for version 5 of Vega-Lite.
    library = javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version="5.21")
    library = library.replace("</script", r"<\/script")
    with Artifacts() as artifacts, artifacts.open(Path(".dvc", _TEMPLATE)) as file:
        file.write(_PAGE.format(library=library).encode())
    subprocess.run(["dvc", "config", "--local", "plots.html_template", _TEMPLATE], check=True)
    click.echo("The pages of `dvc plots` need no network now. To undo this:")
    click.echo("dvc config --local --unset plots.html_template")


if __name__ == "__main__":
    main()
