"""The finished site is looked through for what a reader would have to fetch from elsewhere: that fails the build."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

# Pictures, scripts and frames; style sheets and icons; fonts and pictures of style sheets. Links to follow are fine.
_IN_PAGES = re.compile(
    r"<(?:img|script|iframe|source|video)\b[^>]*\bsrc=\"(?:https?:)?//[^>]*>|<link\b[^>]*\bhref=\"(?:https?:)?//[^>]*>"
)
_IN_STYLES = re.compile(r"(?:@import|url\()\s*[\"']?(?:https?:)?//[^;)]*")


def fetched(folder: Path) -> list[str]:
    """What the pages and style sheets below a folder load from other hosts, with the file that asks for it."""
    found = []
    for path in sorted(folder.rglob("*")):
        pattern = {".html": _IN_PAGES, ".css": _IN_STYLES}.get(path.suffix)
        if pattern is not None:
            found += [f"{path.name}: {match}" for match in pattern.findall(path.read_text(encoding="utf-8"))]
    return found


def _check(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.name == "html" and (found := fetched(Path(app.outdir))):
        raise ExtensionError("the site would fetch from elsewhere: " + "; ".join(found[:5]))


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to the end of a build."""
    app.connect("build-finished", _check)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
