"""Predictions for data as people have them: Kaggle's test.csv of MNIST, drawings, irises, a table with words."""

import csv
import io

import numpy as np
import pytest
from PIL import Image, ImageDraw
from sklearn.datasets import load_iris

from fastmlp import MLP
from fastmlp.cli.main import main
from fastmlp.data import load, load_inputs
from fastmlp.errors import InputError

RECIPE = "[network]\nhidden = [64]\n[training]\nbatch_size = 50\nepochs = 8\n"


def predicted(capsys, *arguments):
    capsys.readouterr()
    assert main(["predict", *map(str, arguments)]) == 0
    return list(csv.DictReader(io.StringIO(capsys.readouterr().out)))


@pytest.fixture(scope="module")
def mnist(tmp_path_factory):
    """A run on 8,000 digits, and digits that it has not seen with their labels."""
    try:
        data = load("mnist")
    except InputError:
        pytest.skip("no MNIST: set FASTMLP_DATA to the folder that holds mnist/")
    folder = tmp_path_factory.mktemp("mnist")
    (folder / "recipe.toml").write_text(RECIPE, encoding="utf-8")
    arguments = ["--recipe", folder / "recipe.toml", "--data", "mnist", "--training", 8000, "--validation", 1000]
    assert main(["sweep", *map(str, arguments), "--out", str(folder / "run")]) == 0
    return folder / "run", data.X[50_000:51_000], data.y[50_000:51_000]


def test_a_submission_for_kaggles_test_csv_is_right_for_most_digits(mnist, tmp_path, capsys):
    run, X, y = mnist
    header = ",".join(f"pixel{i}" for i in range(784))
    np.savetxt(tmp_path / "test.csv", X, "%d", ",", header=header, comments="")
    numbers = range(1, len(X) + 1)
    (tmp_path / "sample_submission.csv").write_text("ImageId,Label\n" + "".join(f"{number},0\n" for number in numbers))
    rows = predicted(capsys, run, tmp_path / "test.csv", "--submission", tmp_path / "sample_submission.csv")
    assert [row["ImageId"] for row in rows] == [str(number) for number in numbers]
    assert np.mean([int(row["Label"]) for row in rows] == y) > 0.9


def test_digits_on_large_white_sheets_are_those_of_the_small_dark_images(mnist, tmp_path, capsys):
    run, X, y = mnist
    chosen = [int(np.flatnonzero(y == digit)[1]) for digit in range(10)]
    np.save(tmp_path / "small.npy", X[chosen])
    small = [row["class"] for row in predicted(capsys, run, tmp_path / "small.npy")]
    for digit, row in enumerate(chosen):
        ink = Image.fromarray(255 - X[row].reshape(28, 28)).resize((168, 168), Image.Resampling.BICUBIC)
        sheet = Image.new("L", (200, 300), 255)
        sheet.paste(ink, (5 + digit, 20 + 8 * digit))
        sheet.save(tmp_path / f"{digit}.png")
    large = predicted(capsys, run, *(tmp_path / f"{digit}.png" for digit in range(10)))
    assert [row["file"] for row in large] == [f"{digit}.png" for digit in range(10)]
    assert sum(row["class"] == one for row, one in zip(large, small, strict=True)) >= 9


def test_a_ring_and_a_stroke_are_a_nought_and_a_one(mnist, tmp_path, capsys):
    run, _, _ = mnist
    for name, draw in (
        ("nought.png", lambda pen: pen.ellipse((50, 60, 150, 240), outline=(30, 30, 90), width=22)),
        ("one.png", lambda pen: pen.line((110, 50, 95, 250), fill=(30, 30, 90), width=22)),
    ):
        sheet = Image.new("RGB", (200, 300), "white")
        draw(ImageDraw.Draw(sheet))
        sheet.save(tmp_path / name)
    rows = predicted(capsys, run, tmp_path / "nought.png", tmp_path / "one.png")
    assert [row["class"] for row in rows] == ["0", "1"]


def test_irises_in_a_table_get_the_names_of_their_species(tmp_path, capsys):
    irises = load_iris(as_frame=True)
    frame = irises.frame.drop(columns="target").assign(species=irises.target_names[irises.target])
    frame = frame.sample(frac=1, random_state=0)
    frame[:120].to_csv(tmp_path / "train.csv", index=False)
    frame[120:].drop(columns="species").iloc[:, ::-1].to_csv(tmp_path / "test.csv", index_label="Id")
    (tmp_path / "recipe.toml").write_text(RECIPE.replace("50", "10").replace("epochs = 8", "epochs = 40"))
    arguments = ["--recipe", tmp_path / "recipe.toml", "--data", tmp_path / "train.csv", "--out", tmp_path / "run"]
    assert main(["sweep", *map(str, arguments)]) == 0
    rows = predicted(capsys, tmp_path / "run", tmp_path / "test.csv")
    assert list(rows[0]) == ["Id", "class", *(f"probability_{name}" for name in irises.target_names)]
    assert [int(row["Id"]) for row in rows] == frame.index[120:].tolist()
    assert np.mean([row["class"] for row in rows] == frame.species[120:]) > 0.9


def test_prices_of_a_table_with_words_are_predicted_in_their_own_unit(tmp_path, capsys):
    random = np.random.default_rng(0)
    carats, cuts = random.gamma(2, 0.4, 600).round(2), random.choice(["Fair", "Good", "Ideal"], 600)
    prices = 3000 * carats + np.select([cuts == "Good", cuts == "Ideal"], [500, 1000], 0) + random.normal(0, 50, 600)

    def write(name, rows, *columns):
        with open(tmp_path / name, "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(
                [[title for title, _ in columns], *zip(*(v[rows] for _, v in columns), strict=True)]
            )

    numbers, inputs = ("Id", np.arange(600)), (("carat", carats), ("cut", cuts))
    write("train.csv", slice(0, 500), numbers, *inputs, ("price", prices.round(2)))
    write("test.csv", slice(500, 600), numbers, *inputs[::-1])
    write("sample.csv", slice(599, 499, -1), numbers, ("price", 0 * prices))
    (tmp_path / "recipe.toml").write_text(
        RECIPE.replace("50", "10").replace("epochs = 8", 'epochs = 40\noptimizer = "adam"\nlearning_rate = 0.01')
    )
    arguments = ["--recipe", tmp_path / "recipe.toml", "--data", tmp_path / "train.csv", "--out", tmp_path / "run"]
    assert main(["sweep", *map(str, arguments), "--label", "price"]) == 0
    rows = predicted(capsys, tmp_path / "run", tmp_path / "test.csv")
    said = np.array([float(row["value"]) for row in rows])
    assert np.sqrt(np.mean((said - prices[500:]) ** 2)) < 0.15 * prices.std()
    submission = predicted(capsys, tmp_path / "run", tmp_path / "test.csv", "--submission", tmp_path / "sample.csv")
    assert [row["price"] for row in submission] == [row["value"] for row in rows[::-1]]
    assert [row["Id"] for row in submission] == [str(number) for number in range(599, 499, -1)]
    model = MLP.load(next(tmp_path.glob("run/cells/*/model.safetensors")))
    table = load_inputs(tmp_path / "test.csv", names=model.encoder.names)
    assert [row["value"] for row in rows] == [str(value) for value in model.predict(table.X)]
