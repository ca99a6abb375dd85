"""A browser for the tests of pages. Where there is none, they skip and say what is missing."""

import os
import shutil
import subprocess

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
# The strictest policy under which a page with its own styles and scripts works: nothing can be loaded or sent.
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"


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
