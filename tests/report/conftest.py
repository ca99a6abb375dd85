"""Runs and pages for the tests of reports, and a browser; where there is none, they skip and say what is missing."""

import json
import os
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from fastmlp.cli.main import main
from fastmlp.report import write_report

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
# The strictest policy under which a page with its own styles and scripts works: nothing can be loaded or sent.
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"
VOID = {"meta", "link", "br", "img", "input", "hr"}
PROJECT = Path(__file__).parents[2]


class Page(HTMLParser):
    """A page that is checked while it is read: every element is closed, identifiers are unique, all is in the page.

    elements  (tag, attributes) in order;  texts  {section: its text};  data  the JSON beside the charts
    """

    def __init__(self, path):
        super().__init__()
        self.source = path.read_text(encoding="utf-8")
        self.elements, self.texts, self.data, self.blocks = [], {}, [], []
        self._open, self._section = [], ""
        self.feed(self.source)
        self.close()
        assert self._open == []
        identifiers = [attributes["id"] for _, attributes in self.elements if "id" in attributes]
        assert len(set(identifiers)) == len(identifiers)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.elements.append((tag, attributes))
        for key, value in attributes.items():
            assert key != "style"
            assert not key.startswith("on")
            if key in ("src", "href", "data", "action"):
                assert value.startswith(("#", "data:")), value
        if tag == "section":
            self._section = attributes["id"]
        if tag not in VOID:
            self._open.append((tag, attributes))

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag):
        assert self._open.pop()[0] == tag
        self.texts[self._section] = self.texts.get(self._section, "") + " "

    def handle_data(self, data):
        tag, attributes = self._open[-1] if self._open else ("", {})
        if tag == "script" and attributes.get("type") == "application/json":
            self.data.append(json.loads(data))
        elif tag in ("script", "style"):
            self.blocks.append((tag, data))
        else:
            self.texts[self._section] = self.texts.get(self._section, "") + data

    def text(self, section):
        """The section's text, its white space single."""
        return " ".join(self.texts.get(section, "").split())

    def count(self, tag, **wanted):
        """How many elements of that name have these attributes."""
        return sum(t == tag and wanted.items() <= a.items() for t, a in self.elements)

    def charts(self, beginning=""):
        """The labels of the charts whose label begins so."""
        labels = [a["aria-label"] for t, a in self.elements if t == "svg"]
        return [label for label in labels if label.startswith(beginning)]


@pytest.fixture(scope="session")
def page():
    """Writes the report of a run and reads it."""
    return lambda folder: Page(write_report(folder))


@pytest.fixture(scope="session")
def evaluated_once(shared, retraining_made_once, test_file):
    folder = shutil.copytree(retraining_made_once, shared / "evaluated")
    assert main(["evaluate", str(folder), "--test", str(test_file)]) == 0
    return folder


@pytest.fixture(scope="session")
def evaluated_page(evaluated_once, page):
    """The report of a run that was evaluated once; no test changes the run."""
    return page(evaluated_once)


@pytest.fixture
def evaluated(tmp_path, evaluated_once):
    """The folder of a run that was evaluated once."""
    return shutil.copytree(evaluated_once, tmp_path / "run")


@pytest.fixture
def edited():
    """Changes a JSON file: calls a function on its value and writes that."""

    def edit(path, change):
        value = json.loads(path.read_text(encoding="utf-8"))
        change(value)
        path.write_text(json.dumps(value), encoding="utf-8")

    return edit


@pytest.fixture
def a9a():
    """The folder with the census data in svmlight text; the test is skipped where it is not."""
    for folder in (os.environ.get("FASTMLP_DATA"), PROJECT / "data"):
        if folder and Path(folder, "a9a", "a9a").is_file():
            return Path(folder, "a9a")
    pytest.skip("no a9a: set FASTMLP_DATA to the folder that holds a9a/a9a and a9a/a9a.t")


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium, driven by selenium."""
    pytest.importorskip("selenium", reason="needs selenium")
    from selenium.common.exceptions import WebDriverException
    from selenium.webdriver import Chrome, ChromeOptions
    from selenium.webdriver.chrome.service import Service

    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    driver = shutil.which("chromedriver")
    if not program or not driver:
        pytest.skip(f"needs a browser: {'chromedriver' if program else 'Chromium or Chrome'} is not installed")
    options = ChromeOptions()
    options.binary_location = program
    for argument in (
        "--headless=new",
        "--window-size=1280,900",
        "--disable-dev-shm-usage",
        "--force-device-scale-factor=1",
    ):
        options.add_argument(argument)
    if getattr(os, "geteuid", lambda: 1)() == 0:
        options.add_argument("--no-sandbox")  # root has none
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    try:
        chrome = Chrome(options, Service(driver, log_output=subprocess.DEVNULL))
    except WebDriverException as error:
        pytest.skip(f"needs a browser: {program} does not start: {(error.msg or '').partition(chr(10))[0]}")
    yield chrome
    chrome.quit()


@pytest.fixture
def show(browser, tmp_path):
    """show(html, width=1280, scheme="light"): open the page in the browser, and return the browser.

    html    a whole page, or what goes into its body
    width   pixels; below 600 as on a phone
    scheme  the colours that the reader prefers, "light" or "dark"
    """

    def open_page(html, width=1280, scheme="light"):
        if "<html" not in html:
            html = (
                '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A page</title>'
                '<meta name="viewport" content="width=device-width, initial-scale=1">'
                f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"></head><body>{html}</body></html>'
            )
        path = tmp_path / "page.html"
        path.write_text(html, encoding="utf-8")
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        prefer(browser, scheme)
        browser.get_log("browser")  # empties it
        browser.get(path.as_uri())
        return browser

    return open_page


def prefer(browser, scheme):
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


@pytest.fixture
def prefer_colours(browser):
    """prefer_colours("light" or "dark") while a page is shown."""
    return lambda scheme: prefer(browser, scheme)


@pytest.fixture
def complaints(browser):
    """complaints(): what the page has written to the console since it was opened."""
    return lambda: [entry["message"] for entry in browser.get_log("browser")]
