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


def test_charts_side_by_side_are_at_the_same_height_however_long_the_labels(browser):
    height = browser.find_element("css selector", ".blocks h3").size["height"]
    lengthen = "document.querySelector('.blocks h3').append(' and more'.repeat(arguments[0]))"
    browser.execute_script(lengthen, 30)
    tops = browser.execute_script(
        "return Array.from(document.querySelectorAll('.blocks > article'), article => "
        "Array.from(article.querySelectorAll('svg'), chart => chart.getBoundingClientRect().top))"
    )
    longer = browser.find_element("css selector", ".blocks h3").size["height"]
    browser.refresh()
    assert longer > height
    assert len(tops) > 1
    assert tops[0] == tops[1]


def test_no_number_is_divided_where_a_line_ends(browser):
    metrics = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    lines = browser.execute_script(
        "return Array.from(document.querySelectorAll('.lead .word, .remarks .word, header .word'), "
        "word => word.getBoundingClientRect().height / parseFloat(getComputedStyle(word).lineHeight))"
    )
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert len(lines) >= 2  # the dates
    assert max(lines) < 1.5


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
