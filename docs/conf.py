"""The site of the documentation: `sphinx-build -W -c docs . build/site`, from the root of the repository.

Sphinx with MyST rather than MkDocs: its last release is of August 2024, and its Material theme calls itself inactive.
The site needs no network to be read: system fonts, no scripts from elsewhere, formulas as MathML made here.
"""

import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE / "extensions")]
os.environ.setdefault("MPLBACKEND", "agg")

import ridgesplines  # noqa: E402 - found by the path above

project = "ridgesplines"
author = copyright = "The ridgesplines developers"
version = release = ridgesplines.__version__

# The repository is the source, so that links between pages are the same here as where the files are read as they are.
root_doc = "docs/index"
include_patterns = ["docs/**.md", "papers/*.md", "experiments/notebooks/*.ipynb", "CHANGELOG.md"]
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "mathml",
    "reference",
    "command_line",
    "notebooks",
    "offline",
]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3

smartquotes_action = "D"  # dashes only: quotes stand around what is to be typed

html_theme = "furo"
html_title = f"ridgesplines {release}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_extra_path = ["root"]
html_math_renderer = "mathml"
html_copy_source = False

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
napoleon_use_ivar = True
# A name in backticks that is no reference is code.
default_role = "py:obj"
