"""Notebooks as pages: kept without outputs, run when the site is built, and shown with what they print and draw."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
from docutils import nodes
from myst_parser.parsers.sphinx_ import MystParser
from nbclient import NotebookClient
from sphinx.application import Sphinx


class NotebookParser(MystParser):
    """Runs a notebook and reads its cells, with their outputs, as one page."""

    supported = ("notebook",)

    def parse(self, inputstring: str, document: nodes.document) -> None:
        """Run the notebook, and parse the page that it makes."""
        notebook = nbformat.reads(inputstring, as_version=4)
        folder = Path(document["source"]).parents[2]
        NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(folder)}}).execute()
        super().parse("\n\n".join(part for cell in notebook.cells for part in _parts(cell)), document)


def _parts(cell: Any) -> list[str]:
    if cell.cell_type != "code":
        return [cell.source]
    return [f"```python\n{cell.source}\n```", *(part for output in cell.outputs for part in _shown(output))]


def _shown(output: Any) -> list[str]:
    if output.output_type == "stream":
        # Progress goes to the other stream.
        return [f"```text\n{output.text.rstrip()}\n```"] if output.name == "stdout" else []
    data = output.get("data", {})
    if "image/png" in data:
        return [f'<p><img alt="What the cell above draws" src="data:image/png;base64,{data["image/png"].strip()}"></p>']
    return [f"```text\n{data['text/plain']}\n```"] if "text/plain" in data else []


def setup(app: Sphinx) -> dict[str, Any]:
    """Let pages be notebooks."""
    app.add_source_suffix(".ipynb", "notebook")
    app.add_source_parser(NotebookParser)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
