"""Settings of Sphinx, which makes a site of these pages: `make docs`."""

from pathlib import Path

from fastmlp import __version__

ROOT = Path(__file__).parents[1]

project = "fastmlp"
copyright = "the authors of fastmlp"
release = version = __version__

extensions = ["myst_nb", "numpydoc", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.mathjax"]
exclude_patterns = ["_build", "_templates"]
templates_path = ["_templates"]
nitpicky = True
smartquotes = False

html_theme = "furo"
html_title = f"fastmlp {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False

# The pages are written for a repository host: its names of headings, its formulas.
myst_enable_extensions = ["dollarmath"]
myst_fence_as_directive = ["math"]
myst_heading_anchors = 4
myst_dmath_double_inline = True
nb_execution_mode = "off"  # a test runs the notebooks

# Docstrings say types in words, which are no names to link to; a single backtick is code.
autodoc_typehints = "none"
autodoc_member_order = "bysource"
autosummary_generate = True
default_role = "code"
numpydoc_show_class_members = False  # autodoc shows them


def add_kernels_readme(app, docname, source):
    """The page on the kernels goes on with kernels/README.md, which a site of this folder alone would lack."""
    if docname == "kernels":
        readme = ROOT / "kernels" / "README.md"
        app.env.note_dependency(str(readme))
        text = readme.read_text(encoding="utf-8").partition("\n")[2]
        source[0] += text.replace("](reference.py)", "](../kernels/reference.py)").replace("](../docs/", "](")
    source[0] = source[0].replace("](../kernels/README.md", "](kernels.md")


def setup(app):
    app.connect("source-read", add_kernels_readme)
