"""How the site is built: `sphinx-build -W --keep-going -c docs . docs/_build/html`, from the root of the checkout.

The source folder is the checkout itself, so notebooks, design notes and kept runs are read where they are, and a link
that works on the forge works on the site.
"""

from __future__ import annotations

import sys
from pathlib import Path

import walkshed

sys.path.insert(0, str(Path(__file__).parent / "extensions"))

project = "walkshed"
author = "walkshed"
version = release = walkshed.__version__
language = "en"

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "command_line",
    "faults",
    "mathml",
    "returns",
]

# What the site holds, out of all that lies in the checkout.
root_doc = "docs/index"
include_patterns = [
    "docs/**.md",
    "notebooks/*.ipynb",
    "notebooks/README.md",
    "benches/runs/*/*.md",
    "benches/peers/*.md",
    "datasets/README.md",
    "python/tests/peers/README.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "README.md",
]
exclude_patterns = [".*", "target", "demo", "docs/_build", "engine", "python/python", "**/.ipynb_checkpoints"]

myst_enable_extensions = ["dollarmath", "colon_fence", "deflist"]
myst_heading_anchors = 3
suppress_warnings = ["myst.header"]  # a cell of a notebook may begin with a second-level heading

nb_execution_mode = "force"  # the notebooks are committed without outputs
nb_execution_raise_on_error = False  # a failure is a warning and -W makes it one, so that one build tells of all
nb_execution_timeout = 300
nb_merge_streams = True

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_custom_sections = ["Source"]
default_role = "code"  # docstrings quote names with single backticks
add_module_names = False

# Names of ours have to lead somewhere; those of other libraries, of types made of others and of the engine do not.
nitpicky = True
nitpick_ignore_regex = [
    ("py:class", r"(?!walkshed\.).*"),
    ("py:class", r"walkshed\.(arrow|_engine|maps\.base_map)\..*"),
    ("py:exc", r"ColumnNotFoundError|Nothing"),
]
python_use_unqualified_type_names = True
maximum_signature_line_length = 110

html_theme = "furo"
html_title = f"walkshed {version}"
html_static_path = ["site/static"]
html_extra_path = ["site/root"]
html_css_files = ["walkshed.css"]
html_copy_source = False
html_show_copyright = False
html_theme_options = {"footer_icons": []}
html_math_renderer = "mathml"
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
