"""Settings of the documentation's site: `make docs`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from docutils.utils.math.latex2mathml import tex2mathml

import facetrack

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx
    from sphinx.writers.html5 import HTML5Translator

project = "Facetrack"
author = "The Facetrack developers"
version = release = facetrack.__version__
extensions = ["myst_parser", "numpydoc", "sphinx.ext.autodoc", "sphinx.ext.autosummary"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
html_theme = "pydata_sphinx_theme"
html_theme_options = {"show_prev_next": False, "secondary_sidebar_items": ["page-toc"]}
html_show_copyright = False
numpydoc_show_class_members = False
autodoc_typehints = "none"  # the sections of a docstring say them, with shapes and units
autodoc_default_options = {"members": True, "member-order": "bysource"}
# The source is the whole repository, so that links between README, docs and model cards hold.
root_doc = "docs/index"
include_patterns = ["*.md", "docs/**.md", "models/*.md"]
exclude_patterns = [".*", "app", "benchmarks", "build", "facetrack", "output", "tests"]


def _inline(translator: HTML5Translator, node: nodes.math) -> None:
    translator.body.append(tex2mathml(node.astext()))
    _skip(node)


def _block(translator: HTML5Translator, node: nodes.math_block) -> None:
    translator.body.append(f"<p>{tex2mathml(node.astext(), as_block=True)}</p>")
    _skip(node)


def _skip(node: nodes.Element) -> None:
    from docutils.nodes import SkipNode

    raise SkipNode


def setup(app: Sphinx) -> None:
    """Have formulas as MathML, which browsers show without a script from elsewhere."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))


html_math_renderer = "mathml"
