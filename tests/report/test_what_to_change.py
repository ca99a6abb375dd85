"""What to change: each thing is said once."""

from run_records import cell_record

from fastmlp.report.advice import advice, common_hints
from fastmlp.training.advice import advise
from fastmlp.training.history import DiagnosisRecord

SLOWER = "a smaller learning rate than 8"


def cell(slug, failure=None, *diagnoses, seed=0):
    return cell_record(
        f"{slug}-{seed}",
        {"seed": seed},
        label=f"{slug}, seed {seed}",
        group=slug,
        configuration=slug,
        failure_reason=failure,
        diagnoses=tuple(DiagnosisRecord(epoch=epoch, cause=cause, sentence=text) for epoch, cause, text in diagnoses),
    )


LOST = advise("diverged: the loss is nan after epoch 4", [SLOWER])
SATURATED = (1, "saturated-units", advise("hidden layer 1: 99% of its units after epoch 1", ["init='xavier'", SLOWER]))
WIDE = (2, "overfitting", "overfitting: the validation loss rose")


def texts(one):
    return [sighting.sentence for sighting in one.seen]


def test_a_failure_is_not_told_as_a_diagnosis_as_well_and_a_hint_is_given_once():
    (one,) = advice([cell("tanh", LOST, SATURATED, (4, "diverged", LOST)), cell("relu")])
    assert one.label == "tanh"
    assert texts(one) == ["diverged: the loss is nan after epoch 4", "hidden layer 1: 99% of its units after epoch 1"]
    assert one.hints == [SLOWER, "init='xavier'"]
    assert one.lines() == [
        "tanh diverged: the loss is nan after epoch 4",
        f"tanh: hidden layer 1: 99% of its units after epoch 1; try {SLOWER} or init='xavier'",
    ]


def test_what_diverged_in_between_is_told_where_the_training_did_not_fail():
    (one,) = advice([cell("tanh", None, (4, "diverged", LOST))])
    assert one.lines() == [f"tanh: {LOST}"]


def test_seeds_of_a_configuration_are_told_together():
    other = (1, "saturated-units", advise("hidden layer 1: 98% of its units after epoch 1", [SLOWER]))
    (one,) = advice([cell("tanh", None, SATURATED), cell("tanh", LOST, other, seed=1), cell("tanh", seed=2)])
    assert texts(one) == [
        "diverged: the loss is nan after epoch 4 (seed 1)",
        "hidden layer 1: 99% of its units after epoch 1 (seeds 0 and 1)",
    ]
    assert one.hints == [SLOWER, "init='xavier'"]


def test_the_epoch_is_told_where_the_sentence_does_not():
    (one,) = advice([cell("tanh", None, WIDE)])
    assert texts(one) == ["after epoch 2: overfitting: the validation loss rose"]
    assert one.hints == []


def test_hints_for_all_are_given_once():
    tanh, relu = cell("tanh", LOST), cell("relu", None, SATURATED)
    assert common_hints(advice([tanh, relu])) == [SLOWER]
    assert common_hints(advice([tanh])) == []
    assert common_hints(advice([tanh, relu, cell("wide", None, WIDE)])) == []
