import pytest
from run_records import cell_record, data_record, evaluation_record, recipe_record, run_record

from fastmlp.report import settings_text
from fastmlp.report.tables import data_line, heading, table, text_table
from fastmlp.report.text_summary import evaluation_text, summary
from fastmlp.runs.recipe_record import DistributionRecord, ReferenceRecord, SearchRecord
from fastmlp.runs.run_directory import Run

SETTINGS = {
    "hidden": [100, 50, 25],
    "batch_size": 500,
    "epochs": 50,
    "decay_epochs": [20, 40],
    "decay_factor": 0.5,
    "init": "normal",
    "init_scale": 0.1,
    "init_bias": "same",
    "l2": 0.0,
}


def record(cells, best, synthetic=False, search=None):
    data = data_record(
        synthetic=synthetic, rows=60_000, training_rows=50_000, features=784, image_shape=None, classes=tuple(range(10))
    )
    return run_record(cells, best, data, recipe_record(search=search))


def cell(slug, rate, accuracy=0.9, failure_reason=None, group=None, **settings):
    return cell_record(
        slug,
        {**SETTINGS, "learning_rate": rate, **settings},
        label=f"tanh, learning rate {rate}",
        group=group or slug,
        configuration=group or f"tanh, learning rate {rate}",
        failure_reason=failure_reason,
        validation_accuracy=accuracy,
    )


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path)


def test_the_summary_is_what_the_course_asks_for(run):
    run.write_record(record([cell("a", 0.5, 0.975), cell("b", 0.05), cell("c", 0.005)], "a"))
    assert summary(run).splitlines() == [
        "# Homework: digits",
        "",
        "- Layers and neurons: 784-100-50-25-10 (3 hidden layers and the softmax output)",
        "- Batch size: 500",
        "- Initial learning rates: 0.5, 0.05, 0.005; halved after epochs 20 and 40 of 50",
        "- Initialisation: normal with mean 0 and standard deviation 0.1, biases alike",
        "- Regulariser: none",
        "- Training curves: measured after each epoch",
        "",
        "![Training and validation accuracy against epochs](curves.png)",
        "![Training and validation loss against epochs](losses.png)",
        "",
        "- Best configuration: tanh, learning rate 0.5, validation accuracy 0.9750",
        "- Final test accuracy: not evaluated yet",
    ]


def test_other_settings_are_told_in_words(run):
    settings = {"hidden": [30], "decay_epochs": [], "init": "auto", "init_scale": None, "init_bias": "zero", "l2": 1e-4}
    run.write_record(record([cell("a", 0.5, **settings), cell("b", 0.5, batch_size=100, **settings)], "b"))
    text = summary(run)
    assert "784-30-10 (1 hidden layer and the softmax output)\n" in text
    assert "- Batch size: 500, 100\n" in text
    assert "- Initial learning rates: 0.5; constant over 50 epochs\n" in text
    assert "He (normal) before relu, Xavier (uniform) elsewhere, biases zero\n" in text
    assert "- Regulariser: L2, 0.0001 / 2 times the sum of squared weights\n" in text


def test_the_summary_says_when_the_training_set_was_measured(run):
    run.write_record(record([cell("a", 0.5, train_metrics="running"), cell("b", 0.05, train_metrics="running")], "a"))
    assert "- Training curves: measured during each epoch\n" in summary(run)
    run.write_record(record([cell("a", 0.5, train_metrics="full"), cell("b", 0.5, train_metrics="running")], "a"))
    assert "- Training curves: measured after each epoch or during each epoch\n" in summary(run)


def test_blank_lines_part_a_table_from_what_is_around_it(run):
    reference = (ReferenceRecord(source="a course", validation_accuracy=0.9),)
    cells = [cell(f"a-seed-{seed}", 0.5, group="a", seed=seed) for seed in (1, 2)]
    run.write_record(run_record(cells, "a-seed-1", data_record(), recipe_record(reference=reference)))
    tables = [block for block in summary(run).split("\n\n") if "|---|" in block]
    assert len(tables) == 2
    assert all(line.startswith("|") for table in tables for line in table.splitlines())


def test_synthetic_data_are_called_so(run):
    run.write_record(record([cell("a", 0.5)], "a", synthetic=True))
    assert summary(run).startswith("# Homework: digits (synthetic)\n\nThe samples were made by this library")
    assert heading(run.read_record()) == "Homework: digits (synthetic)"
    assert data_line(data_record(name="glyphs (synthetic digits)", synthetic=True)) == "glyphs (synthetic digits)"


def test_what_diverged_is_listed(run):
    run.write_record(record([cell("a", 0.5, failure_reason="died: all alike"), cell("b", 0.05)], "b"))
    assert "- tanh, learning rate 0.5 died: all alike\n- Best configuration: tanh, learning rate 0.05" in summary(run)


def test_a_network_that_died_when_it_was_trained_again_is_no_silent_test_accuracy(run):
    evaluation = evaluation_record(failure_reason="died: all alike")
    run.write_record(record([cell("only", 0.5)], "only"))
    run.write_evaluations([evaluation])
    told = "he training on all rows failed, and the test is of what it left: it died: all alike"
    assert f"- T{told}\n" in summary(run)
    assert evaluation_text(evaluation).endswith(f"\nt{told}")


def test_a_source_of_references_keeps_its_capitals(run):
    recipe = recipe_record(reference=(ReferenceRecord(source="Y. LeCun on MNIST", validation_accuracy=0.9),))
    run.write_record(run_record([cell("tanh-0.5", 0.5)], "tanh-0.5", data_record(), recipe))
    assert "- Reference: Y. LeCun on MNIST\n" in summary(run)


def test_a_table_aligns_its_columns():
    assert text_table(["name", "loss"], [["a", "0.5"], ["longer", "10.25"]]) == [
        "name     loss",
        "------  -----",
        "a         0.5",
        "longer  10.25",
    ]


def test_the_confusion_of_very_many_classes_is_left_to_the_file():
    names = [f"class {k}" for k in range(30)]
    text = evaluation_text(evaluation_record(class_names=tuple(names), confusion=((0,) * 30,) * 30))
    assert "see confusion.csv" in text
    assert max(map(len, text.splitlines())) < 100


def test_of_very_many_numbers_the_range_is_told(run):
    cells = [cell(f"c{k}", 0.1 + k / 100, batch_size=100 + k, l2=k / 1000) for k in range(9)]
    run.write_record(record(cells, "c0"))
    text = summary(run)
    assert "- Batch size: 100 to 108\n" in text
    assert "- Initial learning rates: 0.1 to 0.18; halved" in text
    assert "- Regulariser: none or L2, 0.001 to 0.008 / 2 times the sum of squared weights\n" in text


def test_numbers_are_ranged_by_their_values_and_only_where_all_else_is_alike():
    numbers = [1e-7, 0.5, 3, 20, 100, 2.5e-5, 7, 8, 9]
    texts = [f"L2, {number}" for number in numbers]
    assert settings_text.several([*texts, "none", "dropout 0.1", "L1, 4"]) == [
        "L2, 1e-07 to 100", "none", "dropout 0.1", "L1, 4",
    ]  # fmt: skip
    assert settings_text.several(texts[:3] * 9) == texts[:3]


def test_the_best_row_of_a_table_is_named_in_a_sentence():
    text = table(record([cell("a", 0.5, 0.8), cell("b", 0.05, 0.9)], "b"))
    assert text.endswith("\n\nbest configuration: tanh, learning rate 0.05, validation accuracy 0.9000")
    lost = table(record([cell("a", 0.5, None, "diverged: the loss is nan")], None))
    assert lost.endswith("\n\nbest configuration: none, all diverged or failed")


def test_r_squared_is_called_so(run):
    run.write_record(record([cell("a", 0.5, 0.7, loss="squared_error")], "a"))
    first, second = table(run.read_record()).splitlines()[2:4]
    assert (first.split(), second.split()) == (
        ["train", "train", "valid", "valid", "best"], ["configuration", "loss", "R²", "loss", "R²", "(epoch)", "note"],
    )  # fmt: skip
    assert "- Best configuration: tanh, learning rate 0.5, validation R² 0.7000\n" in summary(run)
    assert "![Training and validation R² against epochs]" in summary(run)


def test_a_search_and_its_seeds_are_told_and_its_table_is_best_first(run):
    cells = [
        cell(f"{group}{seed or ''}", 0.1, accuracy + seed / 100, group=group, seed=seed)
        for group, accuracy in (("worse", 0.7), ("better", 0.8))
        for seed in (0, 1)
    ]
    distributions = {
        "l2": DistributionRecord(low=1e-6, high=0.1, log=True),
        "hidden": DistributionRecord(choices=([64], [64, 32])),
    }
    search = SearchRecord(method="random", trials=2, pruner="median", distributions=distributions)
    run.write_record(record(cells, "better", search=search))
    text = summary(run)
    assert (
        "- Search: 2 trials drawn at random: l2 from 1e-06 to 0.1 on a logarithmic scale; hidden 64 or 64-32\n" in text
    )
    assert "- Seeds: 0, 1\n" in text
    # Half the range of two values times t of one degree of freedom, 12.706.
    better, worse = "| better | 0.8050 | ± 0.0635 | 2 |", "| worse | 0.7050 | ± 0.0635 | 2 |"
    assert f"{better}\n{worse}\n" in text
    assert "- Best configuration: better, validation accuracy 0.8050 ± 0.0635 (mean of 2 seeds, 95% interval)\n" in text
