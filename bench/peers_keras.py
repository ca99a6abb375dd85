"""Keras: `Model.fit`, on a backend that is chosen before it is imported."""

import os

import numpy as np

from .baselines import BETA1, BETA2, EPSILON


class OnJax:
    """Its pool has a thread per core of the process: with one thread the process is bound to one core."""

    title, backend = "Keras on JAX, fit", "jax"

    def __init__(self, task, threads):
        os.environ["KERAS_BACKEND"] = self.backend
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        self.limit_threads(threads)
        import keras

        self.task, self.floats, self.y = task, task.floats, task.y
        layers = [keras.layers.Dense(width, activation=task.activation) for width in task.hidden]
        last = None if task.is_regression else "softmax"
        self.model = keras.Sequential(
            [keras.Input((task.features,)), *layers, keras.layers.Dense(task.class_count, activation=last)]
        )
        if task.optimizer == "adam":
            optimizer = keras.optimizers.Adam(task.rate, beta_1=BETA1, beta_2=BETA2, epsilon=EPSILON)
        else:
            optimizer = keras.optimizers.SGD(task.rate)
        # The mean over the numbers of a row, not half the sum: the other gradient has this factor.
        weight = task.class_count / 2 if task.is_regression else 1.0
        loss = "mean_squared_error" if task.is_regression else "sparse_categorical_crossentropy"
        self.model.compile(optimizer, loss, loss_weights=[weight])
        optimizer.build(self.model.trainable_variables)
        self.fresh = [np.array(variable) for variable in optimizer.variables]
        self.start()

    def limit_threads(self, threads):
        """The parent process binds it to a core."""

    def start(self):
        arrays = [array for pair in zip(self.task.weights, self.task.biases, strict=True) for array in pair]
        self.model.set_weights(arrays)
        for variable, value in zip(self.model.optimizer.variables, self.fresh, strict=True):
            variable.assign(value)

    def begin(self, order):
        """It goes through its rows from first to last: they are brought into order beforehand."""
        self.rows, self.targets = self.floats[order], self.y[order]

    def train(self):
        self.model.fit(self.rows, self.targets, batch_size=self.task.batch, shuffle=False, verbose=0)

    def arrays(self):
        arrays = self.model.get_weights()
        return arrays[::2], arrays[1::2]

    def probabilities(self):
        return self.model.predict(self.floats, batch_size=len(self.floats), verbose=0)


class OnTensorflow(OnJax):
    title, backend = "Keras on TensorFlow, fit", "tensorflow"

    def limit_threads(self, threads):
        import tensorflow

        tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
        tensorflow.config.threading.set_inter_op_parallelism_threads(1)
