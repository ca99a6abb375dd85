"""What a notebook shows of a network."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from fastmlp import MLP

X = np.random.default_rng(0).random((120, 4), dtype="float32")
Y = (X[:, 0] > X[:, 1]).astype(int)


class Reader(HTMLParser):
    """The texts of a fragment outside its style, its tags, and whether all of them are closed."""

    def __init__(self, html):
        super().__init__()
        self.open, self.tags, self.attributes, self.text = [], [], [], ""
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text = " ".join([*self.text.split(), *data.split()])


def shown(mlp):
    return Reader(mlp._repr_html_())


def fitted(validated=True, **settings):
    mlp = MLP(hidden=(5,), epochs=4, learning_rate=0.3, batch_size=20, **settings)
    return mlp.fit(X[:80], Y[:80], validation=(X[80:], Y[80:]) if validated else None)


def test_a_network_shows_its_layers_last_results_and_curves():
    mlp = fitted()
    card = shown(mlp)
    assert "MLP 4-5-2, relu" in card.text
    assert f"validation accuracy {mlp.history['validation_accuracy'][-1]:.2%}" in card.text
    assert f"validation loss {mlp.history['validation_loss'][-1]:.4f}" in card.text
    assert card.tags.count("svg") == 2
    assert "learning_rate 0.3" in card.text


def test_without_validation_the_results_are_those_of_the_training_set():
    mlp = fitted(validated=False)
    text = shown(mlp).text
    assert f"training accuracy {mlp.history['train_accuracy'][-1]:.2%}" in text
    assert "nan" not in text


def test_a_network_that_stopped_early_shows_the_results_of_the_weights_it_kept():
    mlp = MLP(hidden=(5,), epochs=40, learning_rate=5.0, batch_size=5, early_stopping=2)
    mlp.fit(X[:80], Y[:80], validation=(X[80:], Y[80:]))
    assert mlp.kept_epoch < len(mlp.history)
    text = shown(mlp).text
    assert f"weights of epoch {mlp.kept_epoch}" in text
    assert f"{mlp.evaluate(X[80:], Y[80:])[1]:.2%}" in text


def test_a_network_before_its_training_says_so():
    card = shown(MLP(hidden=(5, 3), activation="tanh"))
    assert "MLP 5-3, tanh not trained yet" in card.text
    assert "svg" not in card.tags


def test_a_network_of_given_weights_has_layers_and_no_curves():
    card = shown(MLP.from_weights([np.eye(2)], [np.zeros(2)]))
    assert "MLP 2-2" in card.text
    assert "svg" not in card.tags


@pytest.mark.parametrize(
    ("kind", "settings"), [("diverged", {"init_scale": 1e30}), ("died", {"hidden": (3,) * 30, "epochs": 1})]
)
def test_a_failure_is_told_once(kind, settings):
    mlp = MLP(**settings).fit(X, Y)
    assert mlp.failure_reason.kind == kind
    assert shown(mlp).text.count(f"{kind}:") == 1


@pytest.mark.parametrize("loss", ["squared_error", "binary_cross_entropy"])
def test_other_losses_are_shown_too(loss):
    mlp = MLP(hidden=(3,), epochs=1, loss=loss).fit(X, np.eye(2)[Y])
    assert shown(mlp).tags.count("svg") == 2


def test_texts_are_escaped():
    mlp = MLP(hidden=(2,), epochs=1, class_weight={"<b>": 1, "<img src=x>": 2})
    html = mlp.fit(X, np.array(["<b>", "<img src=x>"])[Y])._repr_html_()
    assert "<img" not in html
    assert "&lt;img src=x&gt;" in html


def test_a_card_is_small_and_needs_nothing_else():
    mlp = fitted()
    html = mlp._repr_html_()
    card = Reader(html)
    assert len(html) < 25_000
    assert {"script", "link", "img", "iframe"}.isdisjoint(card.tags)
    assert not any(name.startswith("on") for name, _ in card.attributes)
    assert all(value.startswith("#") for name, value in card.attributes if name in ("href", "src"))
    assert "url(" not in re.sub(r"url\(#[\w-]+\)", "", html)


def test_two_networks_in_a_notebook_share_no_identifier():
    cards = [shown(fitted(seed=seed)) for seed in (0, 1)]
    identifiers = [{value for name, value in card.attributes if name == "id"} for card in cards]
    assert identifiers[0]
    assert identifiers[0].isdisjoint(identifiers[1])


def test_the_rules_of_a_card_concern_nothing_outside_it():
    style = re.search("<style>(.*?)</style>", fitted()._repr_html_(), re.DOTALL)[1]
    selectors = re.findall(r"(?:^|\})\s*([^{}@]+)\{", re.sub(r"/\*.*?\*/", "", style, flags=re.DOTALL))
    assert selectors
    assert all(one.strip().startswith(".fastmlp-card") for text in selectors for one in text.split(","))
