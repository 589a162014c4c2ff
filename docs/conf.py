"""The documentation site: `tox run -e docs` builds it into out/docs."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "extensions"))

project = "rpolab"
author = "the developers of rpolab"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_click"]
extensions += ["sphinxcontrib.mermaid", "rpolab_reference"]
exclude_patterns = ["extensions", "ci"]
html_theme = "furo"
html_title = "rpolab"
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence", "deflist"]
myst_fence_as_directive = ["mermaid"]
autodoc_typehints = "description"
autodoc_member_order = "bysource"
nitpicky = False
