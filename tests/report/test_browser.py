"""The page in a browser: sorting, values under the pointer, nothing in the console."""

import shutil

import pytest

from fastmlp.report import write_report

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs chromium and chromedriver")


@pytest.fixture(scope="module")
def browser(evaluated_once):
    """A browser that shows the report of a run."""
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    driver.get(write_report(evaluated_once).as_uri())
    yield driver
    driver.quit()


def rows(browser):
    return browser.execute_script(
        "return Array.from(document.querySelectorAll('#configurations tbody tr'), row => row.cells[1].textContent)"
    )


def test_a_heading_sorts_by_its_column_and_again_the_other_way(browser):
    before = rows(browser)
    heading = browser.find_elements("css selector", "#configurations thead button")[1]
    heading.click()
    accuracies = [float(text.rstrip("%")) for text in rows(browser)]
    assert accuracies == sorted((float(text.rstrip("%")) for text in before), reverse=True)
    heading.click()
    assert [float(text.rstrip("%")) for text in rows(browser)] == accuracies[::-1]
    column = browser.find_elements("css selector", "#configurations thead th")[1]
    assert column.get_attribute("aria-sort") == "ascending"


def test_pointing_at_a_curve_tells_its_values(browser):
    figure = browser.find_element("css selector", "figure[data-values]")
    webdriver.ActionChains(browser).scroll_to_element(figure).move_to_element(figure).perform()
    readout = figure.find_element("css selector", ".readout").text
    assert readout.startswith("epoch 2: training ")
    assert "validation " in readout
    assert len(figure.find_elements("css selector", "circle.dot")) == 2


def test_arrow_keys_move_along_a_curve(browser):
    figure = browser.find_elements("css selector", "figure[data-values]")[1]
    readout = figure.find_element("css selector", ".readout")
    browser.execute_script("arguments[0].focus()", figure)
    assert readout.text.startswith("epoch 4:")
    figure.send_keys(webdriver.Keys.ARROW_LEFT)
    assert readout.text.startswith("epoch 3:")
    figure.send_keys(webdriver.Keys.HOME)
    assert readout.text.startswith("epoch 1:")


def test_nothing_is_wider_than_a_phone(browser):
    metrics = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    assert browser.execute_script("return document.documentElement.scrollWidth") == 390
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.parametrize(("scheme", "dark"), [("light", False), ("dark", True)])
def test_the_page_follows_the_colour_scheme(browser, scheme, dark):
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    colour = "return getComputedStyle(document.querySelector(arguments[0]))[arguments[1]].match(/\\d+/g).map(Number)"
    paper = browser.execute_script(colour, "body", "backgroundColor")
    line = browser.execute_script(colour, '.chart [stroke="#0072b2"]', "stroke")
    assert (sum(paper) < 3 * 128) == dark
    assert abs(sum(line) - sum(paper)) > 150


def test_the_console_is_empty(browser):
    assert browser.get_log("browser") == []
