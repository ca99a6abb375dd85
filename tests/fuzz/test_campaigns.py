"""Hostile input of every kind has the right result, or is refused in one line; the totals are those of the page."""

import pytest

from tests.fuzz import guided
from tests.fuzz.campaign import Campaign, run
from tests.fuzz.registry import CAMPAIGNS
from tests.fuzz.totals import PAGE, page, read


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")


@pytest.mark.parametrize("campaign", CAMPAIGNS, ids=lambda campaign: campaign.what)
def test_a_sample_holds(campaign, folder):
    assert run(campaign, campaign.sample, folder) == []


@pytest.mark.slow
@pytest.mark.parametrize("campaign", CAMPAIGNS, ids=lambda campaign: campaign.what)
def test_all_cases_hold(campaign, tmp_path):
    assert run(campaign, campaign.full, tmp_path) == []


def test_a_case_that_raises_anything_else_is_a_failure_with_its_number(folder):
    def prepare(_):
        return lambda choose: 1 / choose.randrange(2)

    failures = run(Campaign("halves", prepare), 40, folder)
    assert 5 < len(failures) < 35
    assert all("ZeroDivisionError" in failure for failure in failures)
    assert run(Campaign("halves", prepare), 40, folder) == failures


@pytest.mark.parametrize("target", guided.TARGETS)
def test_what_fuzzing_by_coverage_found_holds(target, tmp_path):
    take, seeds = guided.TARGETS[target](tmp_path)
    cases = [*seeds, *guided.kept(target)]
    assert len(cases) > len(seeds)
    for case in cases:
        take(case)


def test_the_page_is_made_of_the_totals():
    assert PAGE.read_text(encoding="utf-8") == page(read())
    assert len({one["what"] for one in read()}) == len(read()) > 0
