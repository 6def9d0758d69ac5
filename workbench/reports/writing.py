"""A report on disk: a Markdown file with its pictures, and one HTML file that needs nothing beside it."""

from collections.abc import Callable
from pathlib import Path

from workbench.errors import fault
from workbench.project.files import write_atomic
from workbench.reports import svg
from workbench.reports.document import Bars, Document, Plot
from workbench.reports.html import as_html
from workbench.reports.markdown import as_markdown

FOLDER = "reports"
"""Of a project, where its reports go unless another folder is named."""


def write_report(
    document: Document, folder: Path, *, clean: Callable[[str], str], replace: bool = False
) -> list[Path]:
    """Write `NAME.md`, `NAME.html` and the pictures of the former.

    Args:
        document: the report.
        folder: made where it is missing.
        clean: what foreign text goes through before it is seen, such as `ui.text.clean_lines`.
        replace: write over an earlier report of the same name.

    Returns:
        The files, the Markdown first, then the HTML.

    Raises:
        WorkbenchError: the report is there already, or the folder cannot be written.
    """
    markdown, page = folder / f"{document.name}.md", folder / f"{document.name}.html"
    there = next((file for file in (markdown, page) if file.exists()), None)
    if there is not None and not replace:
        raise fault("is there already", there, "--replace writes it anew, --to names another folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise fault(f"cannot be made: {error.strerror or error}", folder) from error
    document = document.cleaned(clean)
    drawn = [block for part in document.parts for block in part.blocks if isinstance(block, Plot | Bars)]
    pictures = {number: f"{document.name}-{number + 1}.svg" for number in range(len(drawn))}
    for number, block in enumerate(drawn):
        picture = svg.plot(block) if isinstance(block, Plot) else svg.bars(block)
        styled = picture.replace("><title>", f"><style>{svg.STYLE}</style><title>", 1)
        write_atomic(folder / pictures[number], styled + "\n")
    write_atomic(markdown, as_markdown(document, pictures))
    write_atomic(page, as_html(document))
    return [markdown, page, *(folder / name for name in pictures.values())]
