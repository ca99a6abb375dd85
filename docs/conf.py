"""Settings of Sphinx, which makes a site of these pages: `make docs`."""

import re
from pathlib import Path

from docutils import nodes
from math_core import LatexToMathML

from fastmlp import __version__

ROOT = Path(__file__).parents[1]

project = "fastmlp"
copyright = "the authors of fastmlp"
release = version = __version__

extensions = ["myst_nb", "numpydoc", "sphinx.ext.autodoc", "sphinx.ext.autosummary"]
exclude_patterns = ["_build", "_templates"]
templates_path = ["_templates"]
nitpicky = True
smartquotes = False

html_theme = "furo"
html_title = f"fastmlp {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_math_renderer = "mathml"

# The pages are written for a repository host: its names of headings, its formulas.
myst_enable_extensions = ["dollarmath"]
myst_fence_as_directive = ["math"]
myst_heading_anchors = 4
myst_dmath_double_inline = True
nb_execution_mode = "force"  # the notebooks are stored without what their cells show
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_merge_streams = True

# Docstrings say types in words, which are no names to link to; a single backtick is code.
autodoc_typehints = "none"
autodoc_member_order = "bysource"
autosummary_generate = True
default_role = "code"
numpydoc_show_class_members = False  # autodoc shows them

to_mathml = LatexToMathML()

# Files above this folder that are pages of the site too.
ABOVE = ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")


def copy_files_above(app):
    """Write these files to `generated/`, with their links as seen from there."""
    folder = Path(app.srcdir) / "generated"
    folder.mkdir(exist_ok=True)
    for name in ABOVE:
        text = (ROOT / name).read_text(encoding="utf-8")
        text = re.sub(rf"\]\((?!https?:|#|{'|'.join(ABOVE)})", "](../../", text)
        text = text.replace("](../../docs/", "](../").replace("](../../kernels/README.md", "](../kernels.md")
        (folder / name).write_text(text, encoding="utf-8")


def lead_to_the_site(app, docname, source):
    """Lead links to files above this folder to their pages; kernels/README.md is the second half of one."""
    if docname == "kernels":
        readme = ROOT / "kernels" / "README.md"
        app.env.note_dependency(str(readme))
        text = readme.read_text(encoding="utf-8").partition("\n")[2]
        source[0] += text.replace("](reference.py)", "](../kernels/reference.py)").replace("](../docs/", "](")
    source[0] = source[0].replace("](../kernels/README.md", "](kernels.md")
    for name in ABOVE:
        source[0] = source[0].replace(f"](../{name}", f"](generated/{name}")


def formula(display):
    """Return what writes a formula as MathML, which browsers show without a script, so that the site works offline."""

    def visit(translator, node):
        translator.body.append(to_mathml.convert_with_local_state(node.astext(), displaystyle=display))
        raise nodes.SkipNode

    return visit, None


def setup(app):
    app.add_html_math_renderer("mathml", formula(display=False), formula(display=True))
    app.connect("builder-inited", copy_files_above)
    app.connect("source-read", lead_to_the_site)
