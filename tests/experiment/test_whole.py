import numpy as np

from fastmlp.experiment.recipe import load_recipe
from fastmlp.experiment.whole import free_folder, run_whole


def test_a_whole_run_goes_from_the_data_to_the_test_accuracy(tmp_path, train_file, test_file, recipe_file):
    train, test = np.load(train_file), np.load(test_file)
    both = tmp_path / "both.npz"
    np.savez(both, x_train=train["images"], y_train=train["labels"], x_test=test["images"], y_test=test["labels"])
    said = []
    assert run_whole(load_recipe(recipe_file).override_data(name=str(both)), tmp_path / "run", say=said.append)
    assert "tanh, rate 0.5" in said[0]
    assert "test accuracy" in said[1]
    pictures = ["summary.md", "curves.png", "losses.png", "confusion.png", "mistakes.png"]
    assert said[2:] == [str(tmp_path / "run" / name) for name in pictures]


def test_a_whole_run_without_a_network_that_learned_stops_after_the_sweep(tmp_path, train_file, recipe_file):
    recipe = (
        load_recipe(recipe_file).override_data(name=str(train_file)).override(activation="relu", learning_rate=1e30)
    )
    said = []
    assert not run_whole(recipe, tmp_path / "run", say=said.append)
    assert len(said) == 1
    assert not (tmp_path / "run" / "retrained").exists()


def test_a_repeated_run_gets_a_numbered_folder(tmp_path):
    wanted = tmp_path / "demo"
    assert free_folder(wanted) == wanted
    wanted.mkdir()
    assert free_folder(wanted) == tmp_path / "demo-2"
    (tmp_path / "demo-2").mkdir()
    assert free_folder(wanted) == tmp_path / "demo-3"
