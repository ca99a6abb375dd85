import numpy as np


def check_class_weight(v):
    return v


def combined(sample_weight, class_weight, y, known):
    return np.empty(0) if sample_weight is None else np.asarray(sample_weight, float)


def class_weights(class_weight, labels, known):
    return np.empty(0)
