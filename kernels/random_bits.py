from .jit import jit
from .registers import load, store


def threshold(share):
    return round(share * 2**32)


@jit
def sample_keys(seed, epoch, stream, position):
    return 1, 2


@jit
def drop_row(k0, k1, threshold, scale, source, target, columns):
    for c in range(columns):
        store(target, c, load(source, c) * scale)
