"""A configuration is one frozen value: it has a hash, survives JSON and pickle, and shows what was chosen."""

import copy
import json
import pickle
from inspect import signature

import pytest

from fastmlp import MLP
from fastmlp.config.network import NetworkConfig
from fastmlp.config.optimizers import LBFGS, SGD, Adam
from fastmlp.errors import InputError, InputTypeError

# A value other than the default for every setting, and what it is as a plain value.
CHOSEN = {
    "hidden": ([7, 5], (7, 5)),
    "activation": (["tanh", "relu"], ("tanh", "relu")),
    "loss": ("cross_entropy", "cross_entropy"),
    "optimizer": ({"name": "sgd", "dampening": 0.5, "nesterov": False}, {"name": "sgd", "dampening": 0.5}),
    "learning_rate": (1, 1.0),
    "momentum": (0.5, 0.5),
    "schedule": ({"name": "decay", "warm_up": 1}, {"name": "decay", "warm_up": 1.0}),
    "decay_epochs": ([2], (2,)),
    "decay_factor": (0.25, 0.25),
    "batch_size": (32, 32),
    "epochs": (3, 3),
    "shuffle": (False, False),
    "early_stopping": ({"patience": 2}, {"patience": 2}),
    "scaling": ("minmax", "minmax"),
    "missing": ("median", "median"),
    "target_scaling": ("standard", "standard"),
    "init": ("normal", "normal"),
    "init_scale": (0.5, 0.5),
    "init_bias": ("same", "same"),
    "l1": (0.5, 0.5),
    "l2": (0.25, 0.25),
    "dropout": ([0.0, 0.5, 0.25], (0.0, 0.5, 0.25)),
    "augment": (
        {"shift": 1, "image_shape": (2, 3)},
        {"shift": 1.0, "rotation": 0.0, "scale": 0.0, "shear": 0.0, "alpha": 0.0, "sigma": 4.0, "image_shape": [2, 3]},
    ),
    "max_norm": (2, 2.0),
    "clip_norm": (3, 3.0),
    "label_smoothing": (0.5, 0.5),
    "class_weight": ({"0": 1, 7: 2}, {0: 1.0, 7: 2.0}),
    "seed": (4, 4),
    "threads": (2, 2),
    "dtype": ("float64", "float64"),
    "engine": ("numpy", "numpy"),
    "train_metrics": ("running", "running"),
    "first_layer": ("dense", "dense"),
}


def chosen():
    return NetworkConfig(**{name: given for name, (given, _) in CHOSEN.items()})


def test_every_setting_is_handed_out_as_a_plain_value():
    settings = chosen().to_dict()
    assert settings == {name: plain for name, (_, plain) in CHOSEN.items()}
    for name, value in settings.items():
        assert type(value) is type(CHOSEN[name][1])
    assert list(settings) == list(NetworkConfig.FIELDS) == list(signature(MLP).parameters)


def test_what_is_handed_out_may_be_changed_without_changing_the_configuration():
    config = chosen()
    settings = config.to_dict()
    settings["optimizer"]["dampening"] = 0.1
    settings["augment"]["image_shape"].append(3)
    MLP(**config.to_dict()).class_weight[0] = 9.0
    assert config == chosen()


@pytest.mark.parametrize(
    "change",
    [
        lambda config: setattr(config, "epochs", 4),
        lambda config: config.optimizer.update(dampening=0.1),
        lambda config: config.optimizer.__setitem__("dampening", 0.1),
        lambda config: config.class_weight.pop(0),
        lambda config: config.augment.clear(),
    ],
)
def test_a_configuration_cannot_be_changed(change):
    config = chosen()
    with pytest.raises((AttributeError, InputTypeError)):
        change(config)
    assert config == chosen()


def test_equal_settings_are_one_key_of_a_dict():
    assert len({chosen(), chosen(), NetworkConfig(), NetworkConfig(seed=1), NetworkConfig(augment="affine")}) == 4
    assert hash(NetworkConfig(schedule=lambda t: 1.0)) == hash(NetworkConfig(schedule=lambda t: 2.0))
    assert NetworkConfig(schedule=lambda t: 1.0) != NetworkConfig(schedule=lambda t: 1.0)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda config: pickle.loads(pickle.dumps(config))])
def test_a_copy_is_the_same_and_as_frozen(duplicate):
    other = duplicate(chosen())
    assert other == chosen()
    assert hash(other) == hash(chosen())
    assert other.optimizer_config == SGD(momentum=0.5, dampening=0.5)


def test_the_identity_survives_json_and_leaves_the_threads_out():
    identity = chosen().identity()
    assert NetworkConfig.from_dict(json.loads(json.dumps(identity))) == chosen().replace(threads=None)
    assert NetworkConfig(schedule=abs).identity()["schedule"] == "custom"
    assert NetworkConfig(threads=3).identity() == NetworkConfig().identity()
    assert NetworkConfig(seed=3).identity() != NetworkConfig().identity()


def test_a_replaced_setting_is_checked_with_the_others():
    config = NetworkConfig(optimizer="adam", hidden=(3,))
    assert config.replace(epochs=5).to_dict() == {**config.to_dict(), "epochs": 5}
    with pytest.raises(InputError, match=r"momentum is 0\.5 and optimizer 'adam'"):
        config.replace(momentum=0.5)
    with pytest.raises(InputTypeError, match=r"'epoch' is not a setting; did you mean 'epochs'"):
        config.replace(epoch=5)


def test_an_unknown_setting_of_a_network_is_a_type_error_that_names_the_one_that_was_meant():
    with pytest.raises(TypeError, match="'learning_rat' is not a setting; did you mean 'learning_rate'"):
        MLP(learning_rat=0.1)


def test_text_shows_what_was_chosen():
    assert repr(NetworkConfig()) == "NetworkConfig()"
    config = NetworkConfig(activation="tanh", learning_rate=0.5, optimizer={"name": "adam", "beta2": 0.9})
    assert repr(config).endswith("(activation='tanh', optimizer={'name': 'adam', 'beta2': 0.9}, learning_rate=0.5)")
    assert eval(repr(config)) == config
    assert config.label() == "activation tanh, optimizer adam (beta2 0.9), learning rate 0.5"
    assert config.label(["l2", "hidden"]) == "L2 0.0, hidden layers 100-50-25"


def test_views_are_of_the_settings_types():
    assert NetworkConfig(optimizer={"name": "adam", "beta1": 0.5}).optimizer_config == Adam(beta1=0.5)
    assert NetworkConfig(optimizer="lbfgs").optimizer_config == LBFGS(memory=10)
    config = chosen()
    assert config.loss_function.name == "cross_entropy"
    assert config.augmentation.image_shape == (2, 3)
    assert config.early_stopping_config.patience == 2
    assert config.layer_activations == ("tanh", "relu")
    assert config.layer_dropout == (0.0, 0.5, 0.25)
    assert config.make_schedule() is not config.make_schedule()
    assert NetworkConfig(dropout=0.5, hidden=(2, 2)).layer_dropout == (0.0, 0.5, 0.5)
    assert NetworkConfig(hidden=(2, 2)).layer_dropout == ()


def test_every_setting_has_a_section_a_label_and_a_line_of_help():
    for info in NetworkConfig.FIELDS.values():
        assert info.section in ("network", "training")
        assert info.label
        assert info.help
        assert "\n" not in info.help
    assert NetworkConfig.FIELDS["epochs"].default == 50
