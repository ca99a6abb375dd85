"""The pages say what is so: their examples run, their settings are accepted, what they link to and name is there."""

import ast
import itertools
import logging
import re
import tomllib
from pathlib import Path

import pytest

from fastmlp import MLP
from fastmlp.errors import InputError
from fastmlp.experiment.recipe_file import load_recipe

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs").glob("*.md"))
INDEX = ROOT / "docs" / "index.rst"
ALL_PAGES = [*PAGES, ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", ROOT / "kernels" / "README.md"]


def blocks(page, language):
    """(line, text) of the page's fenced blocks of a language."""
    text = page.read_text(encoding="utf-8")
    return [
        (text.count("\n", 0, block.start(1)) + 1, block[1])
        for block in re.finditer(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    ]


def unfenced(page):
    """The page without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def prose(page):
    """The page without its fenced blocks and formulas, in which brackets are no links."""
    text = unfenced(page)
    return re.sub(r"\$[^$\n]+\$", "", text)


def settings():
    """(page, line, text) of every setting that stands on a line of its own; whole recipes are not among them."""
    for page in PAGES:
        for start, text in blocks(page, "toml"):
            if not re.search(r"^\[", text, re.MULTILINE):
                yield from ((page.name, start + number, line) for number, line in enumerate(text.splitlines()) if line)


def recipes():
    for page in PAGES:
        for start, text in blocks(page, "toml"):
            if re.search(r"^\[", text, re.MULTILINE):
                yield page.name, start, text


@pytest.fixture
def log_as_it_was():
    """Examples may make the logger quieter, which lasts as long as the process does."""
    logger = logging.getLogger("fastmlp")
    level = logger.level
    yield
    logger.setLevel(level)


# Keras with PyTorch below it calls NumPy in ways that are out of use.
WITH_PEERS = [pytest.mark.oracle, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


def peers(text):
    """The libraries that an example needs and that only the oracles' environment has."""
    return re.findall(r"^import (torch|keras)$", text, re.MULTILINE)


def examples():
    """(page, line, text) of every block of Python, but for those that need a tracker: see test_tracking.py."""
    for page in ALL_PAGES:
        if page.name == "tracking.md":
            continue
        for line, text in blocks(page, "python"):
            marks = WITH_PEERS if peers(text) else []
            yield pytest.param(page, line, text, id=f"{page.relative_to(ROOT)}:{line}", marks=marks)


@pytest.mark.usefixtures("log_as_it_was")
@pytest.mark.parametrize(("page", "line", "text"), list(examples()))
def test_an_example_on_a_page_runs_by_itself(page, line, text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    for peer in peers(text):
        pytest.importorskip(peer)
    shorter = text.replace("decay_epochs=(10, 15), epochs=20", "decay_epochs=(1, 2), epochs=3")
    # As many empty lines before it, so that a traceback names the line of the page.
    exec(compile("\n" * (line - 1) + shorter, page, "exec"), {})


def test_every_fenced_block_is_in_a_language_that_is_tested():
    known = {"python", "toml", "math"}
    for page in ALL_PAGES:
        fences = re.findall(r"^```(.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
        assert len(fences) % 2 == 0
        assert set(fences[::2]) <= known, page.name


@pytest.mark.parametrize(("page", "line", "text"), list(settings()))
def test_a_setting_on_a_page_is_accepted(page, line, text):
    settings = tomllib.loads(text)
    shares = settings.get("dropout")
    hidden = [4] * (len(shares) - 1) if isinstance(shares, list) else [4]
    network = MLP(hidden=hidden, **settings)
    assert MLP(**network.settings()).settings() == network.settings()


@pytest.mark.parametrize(("page", "line", "text"), list(recipes()))
def test_a_recipe_on_a_page_is_accepted(page, line, text, tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text(text, encoding="utf-8")
    assert list(load_recipe(path).configs())


@pytest.mark.parametrize("page", ALL_PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_links_to_is_there(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        goal = page.parent / path if path else page
        assert goal.exists(), f"{page.name} links to {target}"
        if anchor:
            assert anchor in anchors(goal), f"{page.name} links to {target}"


def anchors(page):
    """The names that the headings of a page have on GitHub."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [*PAGES, ROOT / "kernels" / "README.md"], ids=lambda page: page.name)
def test_what_a_page_names_in_the_code_is_there(page):
    for path, name in re.findall(r"`([\w/]+\.py):([\w.]+)`", prose(page)):
        if (path, name) == ("file.py", "function"):  # how it is written
            continue
        file = ROOT / path if "/" in path else ROOT / "kernels" / path
        assert file.exists(), f"{page.name} names {path}"
        assert name in defined(file), f"{page.name} names {path}:{name}"


def defined(file):
    """Names of the functions, classes, their methods, and values of a module."""
    names = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign):
            names |= {part.id for target in node.targets for part in ast.walk(target) if isinstance(part, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
            if isinstance(node, ast.ClassDef):
                names |= {f"{node.name}.{part.name}" for part in node.body if isinstance(part, ast.FunctionDef)}
    return names


def test_the_kernels_named_without_a_file_in_tables_are_those_of_the_file_in_the_heading():
    for page, file in (("optimizers.md", "optimizer.py"), ("losses.md", "loss.py")):
        text = prose(ROOT / "docs" / page)
        named = re.findall(r"`(_\w+(?:\.\w+)?)`", text)
        assert named
        assert set(named) <= defined(ROOT / "kernels" / file)


def test_the_kernels_page_lists_every_file_of_the_kernels():
    text = (ROOT / "kernels" / "README.md").read_text(encoding="utf-8")
    table = re.findall(
        r"^\| (`[^|]+) \|", text[text.index("## Files") : text.index("## Names and shapes")], re.MULTILINE
    )
    listed = [name for row in table for name in re.findall(r"`(\w+\.py)`", row)]
    assert sorted(listed) == sorted({path.name for path in (ROOT / "kernels").glob("*.py")} - {"__init__.py"})


def test_the_page_for_contributors_lists_every_room_and_names_what_is_there():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    packages = {path.parent.name for path in (ROOT / "fastmlp").glob("*/__init__.py")} - {"kernels", "recipes"}
    assert packages == set(re.findall(r"`fastmlp/(\w+)/`", text[: text.index("## Where something new")]))
    for path in re.findall(r"`((?:fastmlp|kernels|scripts|tests|bench|docs)/[\w/.-]*)`", text):
        assert (ROOT / path).exists(), path
    for name, path in re.findall(r"`([A-Z]+)` in `([\w/]+\.py)`", text):
        assert name in defined(ROOT / path)


def test_every_page_and_notebook_is_in_the_contents_of_the_site():
    contents = re.findall(r"^   ([\w-]+)$", INDEX.read_text(encoding="utf-8"), re.MULTILINE)
    pages = [*PAGES, *(ROOT / "docs").glob("*.ipynb"), ROOT / "docs" / "api.rst"]
    assert sorted(contents) == sorted(page.stem for page in pages)
    assert not {"genindex", "search"} & set(contents), "Sphinx writes pages of its own under these names"


@pytest.mark.slow
@pytest.mark.usefixtures("log_as_it_was")
@pytest.mark.parametrize(
    "name", re.findall(r'^    "([\w-]+)": ', (ROOT / "docs" / "figures.py").read_text("utf-8"), re.M)
)
def test_a_figure_can_be_drawn(name, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "docs")
    import figures

    try:
        figure = figures.FIGURES[name]()
    except InputError as error:
        if "could not be downloaded" not in str(error):
            raise
        pytest.skip(str(error))
    assert figure.axes


def test_every_figure_is_drawn_by_a_function_and_shown_on_a_page(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "docs")
    import figures

    shown = set(itertools.chain(*(re.findall(r"\]\(images/([\w-]+)\.png\)", prose(page)) for page in PAGES)))
    # Those of the benchmarks are drawn with their pages, by bench/report.py and bench/speedrun.py; a report was
    # photographed in a browser.
    assert shown - {"benchmarks", "speedrun", "report"} == set(figures.FIGURES)
