"""Configurations that were trained with several seeds: their means, their order, and what is said of the best two."""

import pytest
from run_records import cell_record

from fastmlp.runs.aggregate import best_cell, compare_best_two, group_cells, is_repeated, ranked


def cells(slug, accuracies, diverged=(), loss=0.5, pruned=None):
    """One cell for each accuracy, of the seeds from 0; those at the places in `diverged` failed."""
    return [
        cell_record(
            f"{slug}-seed-{seed}" if seed else slug,
            {"seed": seed},
            label=f"{slug}, seed {seed}",
            group=slug,
            configuration=slug,
            validation_accuracy=accuracy,
            validation_loss=loss,
            failure_reason="diverged: the loss is nan" if seed in diverged else None,
            pruned=pruned,
        )
        for seed, accuracy in enumerate(accuracies)
    ]


def test_the_best_configuration_has_the_best_mean_and_not_the_luckiest_seed():
    record = [*cells("lucky", [0.99, 0.5, 0.5]), *cells("steady", [0.8, 0.81, 0.82])]
    assert [group.slug for group in ranked(record)] == ["steady", "lucky"]
    assert best_cell(record).slug == "steady"  # the first seed, although the third got more


def test_a_configuration_that_died_with_one_seed_comes_after_those_that_never_did():
    record = [*cells("wild", [0.9, 0.95, 0.1], diverged=[0]), *cells("tame", [0.7, 0.7, 0.7])]
    assert best_cell(record).slug == "tame"
    assert best_cell(record[:3]).slug == "wild-seed-1"
    assert best_cell(cells("wild", [0.9], diverged=[0])) is None


def test_equal_means_are_told_apart_by_the_loss():
    assert best_cell([*cells("a", [0.9], loss=0.4), *cells("b", [0.9], loss=0.3)]).slug == "b"
    assert best_cell([*cells("a", [0.9], loss=None), *cells("b", [0.9], loss=9.0)]).slug == "b"


def test_what_was_pruned_is_no_candidate():
    assert best_cell([*cells("given-up", [0.9], pruned=3), *cells("finished", [0.8])]).slug == "finished"


def test_a_best_configuration_that_beats_the_runner_up_is_said_to():
    record = [*cells("a", [0.90, 0.92, 0.91]), *cells("b", [0.85, 0.88, 0.86]), *cells("c", [0.1, 0.1, 0.1])]
    # Differences 0.05, 0.04, 0.05: mean 0.0467, standard error 0.00333, t of two degrees of freedom 4.303.
    assert compare_best_two(record) == (
        "a beats b with 3 seeds: mean difference 0.0467 ± 0.0143, 95% interval, paired by seed"
    )


def test_a_best_configuration_that_does_not_is_said_not_to_differ():
    record = [*cells("a", [0.90, 0.92, 0.91]), *cells("b", [0.91, 0.90, 0.90])]
    # Differences -0.01, 0.02, 0.01: mean 0.00667, standard error 0.00882.
    assert compare_best_two(record) == (
        "a and b do not differ significantly with 3 seeds: "
        "mean difference 0.0067 ± 0.0379, 95% interval, paired by seed"
    )


def test_pairing_sees_what_the_two_means_alone_would_hide():
    record = [*cells("a", [0.50, 0.70, 0.90]), *cells("b", [0.49, 0.688, 0.89])]
    first, second = (group.accuracy for group in group_cells(record))
    assert first.mean - first.half_width < second.mean < first.mean  # each interval holds the other mean
    assert compare_best_two(record).startswith("a beats b with 3 seeds")


def test_a_difference_that_is_the_same_with_each_seed_has_no_interval():
    assert compare_best_two([*cells("a", [0.9, 0.8]), *cells("b", [0.88, 0.78])]) == (
        "a differs from b by 0.0200 with each of 2 seeds"
    )
    assert "do not differ significantly" in compare_best_two([*cells("a", [0.9, 0.8]), *cells("b", [0.9, 0.8])])


def test_seeds_are_compared_only_where_both_went_well():
    record = [*cells("a", [0.9, 0.5, 0.9, 0.91], diverged=[1]), *cells("b", [0.8, 0.8, 0.5, 0.8], diverged=[2])]
    assert compare_best_two(record).startswith("a beats b with 2 seeds")
    record = [*cells("a", [0.9, 0.5], diverged=[1]), *cells("b", [0.5, 0.8], diverged=[0])]
    assert "fewer than 2 seeds in common" in compare_best_two(record)


def test_where_there_is_nothing_to_compare_nothing_is_said():
    assert compare_best_two(cells("only", [0.9, 0.8])) is None
    assert compare_best_two([*cells("a", [0.9]), *cells("b", [0.8])]) is None
    assert not is_repeated([*cells("a", [0.9]), *cells("b", [0.8])])


def test_the_mean_of_a_result_that_is_not_finite_once_is_unknown():
    (group,) = group_cells([*cells("a", [0.9], loss=None), *cells("a", [0.8])])
    assert group.mean("validation_loss") is None
    assert group.mean("validation_accuracy") == pytest.approx(0.85)
