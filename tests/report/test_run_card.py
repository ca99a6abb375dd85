"""What a notebook shows of a run."""

import re

import pytest

from fastmlp.report import read_run


def texts(html):
    return re.sub(r"\s+", " ", re.sub(r"<style>.*?</style>|<[^>]+>", " ", html, flags=re.DOTALL))


def test_a_run_shows_the_head_of_its_report_and_the_curves_of_the_best(evaluated_once, evaluated_page):
    run = read_run(evaluated_once)
    text = texts(run._repr_html_())
    assert run.best.label in text
    assert f"Validation accuracy {run.best.record.validation_accuracy:.2%}" in text
    assert f"Test accuracy {run.evaluations[0].accuracy:.2%}" in text
    assert "The test data were used once" in text
    assert run._repr_html_().count("<svg") == 2
    for tile in re.findall(r"\d+\.\d\d%", text)[:3]:
        assert tile in evaluated_page.text("result")


def test_configurations_are_listed_by_their_accuracy_and_the_best_is_marked(sweep_made_once):
    run = read_run(sweep_made_once)
    table = re.search("<table>.*</table>", run._repr_html_(), re.DOTALL)[0]
    rows = [texts(row) for row in re.findall("<tr>.*?</tr>", table, re.DOTALL)][1:]
    assert len(rows) == len(run.configurations)
    assert [row.strip() for row in rows if " best" in row] == [row.strip() for row in rows if run.best.label in row]
    shown = [float(row.partition("%")[0].rpartition(" ")[2]) for row in rows if "%" in row]
    assert shown == sorted(shown, reverse=True)


def test_a_run_without_an_evaluation_says_so(sweep_made_once):
    assert "Test accuracy not measured yet" in texts(read_run(sweep_made_once)._repr_html_())


def test_a_run_in_a_terminal_is_two_lines(sweep_made_once):
    run = read_run(sweep_made_once)
    assert len(repr(run).splitlines()) == 2
    assert run.best.label in repr(run)


@pytest.mark.parametrize(("ink", "paper"), [("rgb(20, 20, 20)", "white"), ("rgb(230, 230, 230)", "#111")])
@pytest.mark.parametrize("width", [400, 840])
def test_a_card_takes_the_colours_and_the_width_of_the_notebook(show, sweep_made_once, ink, paper, width):
    html = read_run(sweep_made_once)._repr_html_()
    page = (
        '<!doctype html><html lang="en"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<body style="background: {paper}; color: {ink}">{html}</body></html>'
    )
    browser = show(page, width=width)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    colours = browser.execute_script(
        "return [...document.querySelectorAll('.fastmlp-value, .fastmlp-card svg text')]"
        ".map(one => getComputedStyle(one)[one.tagName == 'text' ? 'fill' : 'color'])"
    )
    assert len(colours) > 10
    assert set(colours) == {ink}
