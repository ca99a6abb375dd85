"""Names of Keras, PyTorch and scikit-learn, so that a message can give fastmlp's name."""

from collections.abc import Iterable, Mapping

_NAMES = {
    "hidden": "layers layer_sizes hidden_layers hidden_layer_sizes hidden_sizes hidden_units hidden_dims units",
    "learning_rate": "lr eta0 learning_rate_init",
    "l2": "weight_decay",
    "epochs": "max_iter n_epochs num_epochs nb_epoch n_iter",
    "seed": "random_state random_seed rng",
    "optimizer": "solver optim",
    "loss": "criterion loss_fn loss_function",
    "activation": "activation_function nonlinearity",
    "init": "kernel_initializer initializer weight_init",
    "clip_norm": "global_clipnorm max_grad_norm",
    "threads": "n_jobs num_threads n_threads",
    "dropout": "dropout_rate dropout_p",
    "early_stopping": "patience n_iter_no_change",
    "validation": "validation_data val_data eval_set",
    "validation_split": "validation_fraction val_split",
    "progress": "verbose",
    "checkpoint": "resume_from checkpoint_dir",
    "cross_entropy": ("categorical_crossentropy sparse_categorical_crossentropy crossentropyloss log_loss nll"),
    "binary_cross_entropy": "binary_crossentropy bce bceloss bcewithlogitsloss",
    "poisson": "poissonnllloss poisson_nll_loss",
    "squared_error": "mse mseloss mean_squared_error l2_loss",
    "sigmoid": "logistic",
    "identity": "linear",
    "leaky_relu": "leakyrelu lrelu",
    "beta1": "beta_1",
    "beta2": "beta_2",
    "epsilon": "eps",
    "train_loss": "loss",
    "train_accuracy": "accuracy acc",
    "validation_loss": "val_loss",
    "validation_accuracy": "val_accuracy val_acc",
}
_HERE = {theirs: ours for ours, others in _NAMES.items() for theirs in others.split()}

# What is done otherwise here: settings and arguments, and attributes of a network; and arguments that are no settings.
_FOUND_BY_FIT = "leave it out: fit finds the numbers of inputs and outputs in X and y"
_ON_CPU = "leave it out: everything is done on the CPU"
ARGUMENTS: Mapping[str, str] = {
    **dict.fromkeys(("input_dim", "input_shape", "in_features", "n_features", "input_size"), _FOUND_BY_FIT),
    **dict.fromkeys(("output_dim", "out_features", "n_classes", "num_classes", "output_size"), _FOUND_BY_FIT),
    "alpha": "the penalty is l2, which is scikit-learn's alpha over the rows of a batch",
    "device": _ON_CPU,
    "metrics": "leave it out: mlp.history has losses and accuracies of every epoch",
    "steps_per_epoch": "leave it out: an epoch is a pass over X, in steps of the setting batch_size",
    "initial_epoch": "fit(checkpoint=folder) resumes a training that was ended",
}
OF_FIT = (
    "validation",
    "validation_split",
    "callbacks",
    "progress",
    "classes",
    "sample_weight",
    "checkpoint",
    "warm_start",
)
ATTRIBUTES: Mapping[str, str] = {
    "compile": "loss and optimizer are settings: MLP(loss='cross_entropy', optimizer='adam')",
    "build": "fit finds the numbers of inputs and outputs in X and y",
    "add": "layers are a setting: MLP(hidden=(128, 64))",
    "layers": "see mlp.summary(), mlp.weights and mlp.biases",
    "train": "call fit(X, y)",
    "eval": "predict never drops anything",
    "forward": "call predict_proba(X), or logits(X)",
    "parameters": "see mlp.weights and mlp.biases",
    "named_parameters": "see mlp.weights and mlp.biases",
    "state_dict": "see mlp.weights and mlp.biases, or mlp.save(path)",
    "load_state_dict": "call set_weights(weights, biases), or MLP.load(path)",
    "get_weights": "see mlp.weights and mlp.biases",
    "save_weights": "call save(path)",
    "load_weights": "call MLP.load(path), or set_weights(weights, biases)",
    "count_params": "see mlp.summary().parameters",
    "to": _ON_CPU,
    "cpu": _ON_CPU,
    "cuda": _ON_CPU,
    "predict_classes": "call predict(X)",
    "predict_on_batch": "call predict(X)",
    "train_on_batch": "call partial_fit(X, y)",
    "fit_generator": "call partial_fit(X, y) with each batch, or fit with a fastmlp.data.Stream",
    "test_on_batch": "call evaluate(X, y)",
    "transform": "call hidden_activations(X, layer=-1)",
    "coefs_": "see mlp.weights, or fastmlp.sklearn.MLPClassifier",
    "intercepts_": "see mlp.biases, or fastmlp.sklearn.MLPClassifier",
    "classes_": "see mlp.classes, or fastmlp.sklearn.MLPClassifier",
    "loss_curve_": "see mlp.history['train_loss'], or fastmlp.sklearn.MLPClassifier",
    "n_iter_": "see len(mlp.history), or fastmlp.sklearn.MLPClassifier",
    "to_json": "call export(path, 'json')",
}


def called_here(name: str, known: Iterable[str]) -> str | None:
    """Return what is called so in another library by its name here; None where that is not known.

    Parameters
    ----------
    name : str
        What was given.
    known : iterable of str
        All names that there are here.
    """
    ours = _HERE.get(name.lower())
    return ours if ours is not None and ours in known else None
