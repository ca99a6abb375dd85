"""A whole epoch, and a whole pass without training, in one nogil call of a team of threads: see `thread_loops.py`."""

import threading
from typing import Any

import numpy as np

from . import small, step_general, step_sgd, thread_loops, thread_team
from .augment import workspace as image_workspace
from .block import affine_dense, affine_sparse, workspace
from .column_sort import new_buckets
from .compress import entry_buffers, measure_density
from .gather import address, dense_rows, gather_dense, gather_sparse, sparse_rows
from .jit import entry
from .layout import BLOCK_ROWS, FAN_IN, GRAIN, STRIDE, aligned_zeros, buffer_size, multiply_adds
from .shuffle import permutations as permutations
from .single import new_lists
from .sparse_rows import PIXELS, Sparse
from .task_types import CROSS_ENTROPY, SOFTMAX, START, Dropout, Task
from .update_rule import PLAIN_SGD, RATE, step_schedule

# Multiply-adds in one step below which a second thread costs more than it brings. The threads of a small network wait
# for one another only once or twice in a step: it takes a fifth. All steps together take eight times as many, as
# threads have to be started for them.
STEP_WORTH_SHARING = 500_000
# Elements of the parameters, padding included, up to which `small.py` trains a network, and from which batch on.
SMALL_NETWORK, SMALL_BATCH, SMALL_SHARED_BATCH = 1 << 13, 16, 2 * small.PART_ROWS
# Inputs above which the other kernels are faster, as these need no transposed ones, and from which batch on.
SMALL_FEATURES, FEATURES_BATCH = 32, 64
# Batches up to this size give threads columns of the first layer instead of rows, where it is sparse. With states of an
# optimiser rows are faster for any batch: every weight is stepped, and long rows go by quickly.
COLUMNS_BATCH = 48
# Multiply-adds for each thread of a pass without training, which has to be started for it.
PASS_WORTH_SHARING = 10_000_000
# Share of entries that are not zero below which dense rows are compressed on the way to being classified.
SKIP_DENSITY = 0.3
# A thread counts its hits in a cache line of its own.
HITS_STRIDE = 8


def train(
    layers, parameters, states, X, y, order, batch_size, rates, totals, threads, rule=PLAIN_SGD, loss=CROSS_ENTROPY,
    keep_prob=(), distortion=None, clock=START, kept=None, marks=(), copies=None,
):  # fmt: skip
    """Minibatch training over the rows of X named by `order`, epoch after epoch; see the reference.

    kept: a dict in which a training leaves what its next call would make anew
    """
    kept = {} if kept is None else kept
    dtype, is_sparse = parameters.dtype, isinstance(X, Sparse)
    is_small, size, least_visits = _keep(
        kept, "team", (id(layers), batch_size, threads, rule, keep_prob, distortion is None),
        lambda: _training_team(layers, batch_size, threads, rule, keep_prob, distortion),
    )  # fmt: skip
    size = size if order.size >= least_visits else 1
    totals = totals.reshape(-1, 2)
    # Epochs that all are one array's rows in the same order need no copies of it.
    is_repeated = order.ndim == 2 and order.strides[0] == 0
    rows = order.shape[-1]
    batches = _keep(
        kept, "batches", (rows, batch_size, len(totals), is_repeated, marks),
        lambda: _batches(rows, batch_size, len(totals), 0 if is_repeated else rows, marks),
    )  # fmt: skip
    marked = states, np.empty((0, 0, 0), dtype) if copies is None else copies
    order = order[0] if is_repeated else order.reshape(-1)
    hits = np.zeros((size, max(HITS_STRIDE, len(totals))), np.int64)
    schedule = step_schedule(rule, rates, len(batches), clock.steps)
    plain = not is_small and rule == PLAIN_SGD and _is_plain(loss) and not len(keep_prob) and distortion is None
    task: Any
    if plain:
        lists = None
        if batch_size == 1:
            lists = _keep(kept, "lists", (id(layers), dtype), lambda: new_lists(layers, dtype))
        task = y, np.empty(batch_size, np.int64), schedule[:, RATE].copy(), lists
    else:
        constant = _keep(
            kept, "task", (id(layers), rule.clip_norm > 0),
            lambda: _constant_task(layers, dtype, size, rule, keep_prob, distortion), size,
        )  # fmt: skip
        y = np.ascontiguousarray(y) if is_small else y
        task = _task(constant, parameters, states, y, schedule, rule, loss, distortion, clock)
    if is_small:
        room = _keep(
            kept, "workspace", (id(layers), batch_size),
            lambda: small.workspace(layers, dtype, size, batch_size), size,
        )  # fmt: skip
        order = np.ascontiguousarray(order)
        run = _train_small_sparse if is_sparse else _train_small
        thread_team.run(run, size, _source(X, dtype), parameters, order, batches, task, *room, hits, totals, marked)
        _add_hits(totals, hits)
        return size
    room = _keep(
        kept, "workspace", (id(layers), batch_size, is_sparse),
        lambda: (*workspace(layers, batch_size, dtype, not is_sparse), np.empty(batch_size)),
    )  # fmt: skip
    shared = layers, parameters, order, batches, task, *room, hits, totals
    if is_sparse:
        by_columns = plain and size > 1 and batch_size <= COLUMNS_BATCH
        rows = batch_size if by_columns else -(-batch_size // size) + BLOCK_ROWS
        sums = aligned_zeros(X.features * int(layers[0, STRIDE]) if plain else 0, dtype)
        buckets = new_buckets(X, -(-rows // BLOCK_ROWS), size, sums)
        thread_team.run(
            _train_sparse if plain else _train_general_sparse, size, _source(X, dtype), buckets, by_columns, *shared
        )
    else:
        run = _train_dense if plain else _train_general_dense if distortion is None else _train_distorted
        thread_team.run(run, size, _source(X, dtype), *shared, marked)
    _add_hits(totals, hits)
    return size


def _add_hits(totals, hits):
    """Add the right answers that each thread has counted of each epoch."""
    for counted in hits:
        totals[:, 1] += counted[: len(totals)]


def _is_small(layers, batch_size, rule, keep_prob, distortion):
    """Whether `small.py` trains the network: few weights, nothing dropped, distorted or limited.

    It needs batches that fill its registers, and where a step is worth sharing it needs parts enough for some threads;
    of large batches it takes few inputs alone.
    """
    is_shared = batch_size * multiply_adds(layers) >= STEP_WORTH_SHARING
    return (
        batch_size >= (SMALL_SHARED_BATCH if is_shared else SMALL_BATCH)
        and buffer_size(layers) <= SMALL_NETWORK
        and (batch_size < FEATURES_BATCH or layers[0, FAN_IN] <= SMALL_FEATURES)
        and rule.clip_norm == rule.max_norm == 0
        and distortion is None
        and all(probability == 1 for probability in keep_prob)
    )


def _keep(kept, name, key, make, size=0):
    """What `make` returns, or has returned for `name` and `key`, of which the last two are kept: of one training.

    size: of the team that it has to have room for
    """
    found = kept.setdefault(name, {})
    if key not in found or found[key][0] < size:
        while len(found) > 1:
            del found[next(iter(found))]
        found[key] = size, make()
    return found[key][1]


def _batches(rows, batch_size, epochs, apart, marks):
    """(steps, 3) int64: where each step's batch begins and ends, and where the network is copied to after it, or -1.

    The orders of the epochs begin `apart` places apart. It is copied after the last step of those in `marks`.
    """
    starts, befores = np.arange(0, rows, batch_size), apart * np.arange(epochs)[:, None]
    batches = np.full((epochs, len(starts), 3), -1)
    batches[..., 0] = befores + starts
    batches[..., 1] = befores + np.minimum(starts + batch_size, rows)
    for place, epoch in enumerate(marks):
        batches[epoch, -1, 2] = place
    return batches.reshape(-1, 3)


def _is_plain(loss):
    """Whether a loss is the cross entropy of samples that all weigh the same."""
    return loss.kind == SOFTMAX and not loss.smoothing and not len(loss.weights)


def _constant_task(layers, dtype, size, rule, keep_prob, distortion):
    """What is the same in all `Task`s of a training: (keep_prob, its thresholds, gradient and what follows it)."""
    rows = layers[:, FAN_IN] + 1
    keep_prob = np.array(keep_prob, np.float64) if len(keep_prob) else np.ones(len(layers))
    gradient = aligned_zeros(buffer_size(layers) if rule.clip_norm else 0, dtype)
    scratch = step_general.scratch(layers, dtype, size)
    norms = np.zeros(rows.sum() if rule.clip_norm else 0)
    canvas = None if distortion is None else image_workspace(distortion, dtype, size)
    thresholds = np.rint(keep_prob * 2.0**32).astype(np.uint64)
    return keep_prob, thresholds, (gradient, scratch, norms, np.cumsum(rows) - rows), canvas


def _task(constant, parameters, states, y, schedule, rule, loss, distortion, clock):
    """The `Task` of the functions of `step_general.py`."""
    keep_prob, thresholds, room, canvas = constant
    dropout = Dropout(clock.seed, clock.epoch, clock.position, thresholds, keep_prob)
    # A state that the optimiser does not have is not touched.
    first, second = (states[0], states[-1]) if len(states) else (parameters, parameters)
    labels, targets = _compared_with(y, loss, parameters.dtype)
    images = () if distortion is None else (distortion, canvas)
    return Task(labels, targets, loss, dropout, rule, schedule, first, second, *room, images)


def _compared_with(y, loss, dtype):
    """(labels, targets) of which one is empty."""
    if loss.kind == SOFTMAX:
        return y, np.empty((0, 0), dtype)
    return np.empty(0, np.int64), y


def _training_team(layers, batch_size, threads, rule, keep_prob, distortion):
    """(whether `small.py` trains, threads worth having, from how many visits of samples on); each has whole rows."""
    is_small = _is_small(layers, batch_size, rule, keep_prob, distortion)
    work, step = multiply_adds(layers), STEP_WORTH_SHARING // 5 if is_small else STEP_WORTH_SHARING
    if threads == 1 or batch_size * work < step:
        return is_small, 1, 0
    size = max(1, min(threads, batch_size // small.PART_ROWS if is_small else -(-batch_size // GRAIN)))
    return is_small, size, 8 * STEP_WORTH_SHARING / work


def evaluate(layers, parameters, X, y, totals, threads, loss=CROSS_ENTROPY, kept=None):
    """Add the loss of every row of X to totals[0] and the number of right answers to totals[1]; see the reference.

    kept: a dict in which a pass leaves what the next one over the same X, y and loss would make anew
    """
    dtype = parameters.dtype
    _, run, size, source, task, order, losses = _keep(
        {} if kept is None else kept, "pass", (id(X), id(y), id(loss), threads),
        lambda: ((X, y, loss), *_evaluation(layers, dtype, X, y, threads, loss)),  # nothing else gets their ids
    )  # fmt: skip
    hits = np.zeros((size, HITS_STRIDE), np.int64)
    works = _private_workspaces(layers, dtype, size, X)
    thread_team.run(run, size, source, layers, parameters, task, *works, order, losses, hits)
    totals[0] = _sum_in_order(totals[0], losses)
    totals[1] += hits.sum()


def _evaluation(layers, dtype, X, y, threads, loss):
    """What is the same in all passes over some rows: (entry, threads, X and y as it takes them, rows, their losses)."""
    n, plain = X.shape[0], _is_plain(loss)
    if isinstance(X, Sparse):
        run = _evaluate_sparse if plain else _evaluate_any_sparse
    else:
        run = _evaluate_dense if plain else _evaluate_any_dense
    task = (y,) if plain else (loss, *_compared_with(y, loss, dtype))
    return run, _evaluation_team(layers, n, threads), _source(X, dtype), task, np.arange(n), np.empty(n)


def predict(layers, parameters, X, out, threads, kind=SOFTMAX, depth=None):
    """The network's outputs for every row of X, into out (N, columns) with contiguous rows. Returns out.

    depth: how many layers to go through; None for all
    """
    n, dtype = X.shape[0], parameters.dtype
    size = _evaluation_team(layers, n, threads)
    works = _private_workspaces(layers, dtype, size, X)
    rest = layers[:depth], parameters, kind, *works, np.arange(n), out
    if isinstance(X, Sparse):
        thread_team.run(_predict_sparse, size, _source(X, dtype), *rest)
    elif n >= BLOCK_ROWS and measure_density(X[:: n // BLOCK_ROWS]) < SKIP_DENSITY:
        thread_team.run(_predict_skipping, size, _source(X, dtype), entry_buffers(X, dtype, size), *rest)
    else:
        thread_team.run(_predict_dense, size, _source(X, dtype), *rest)
    return out


def _source(X, dtype):
    """X as the first layer's kernels take it."""
    if isinstance(X, Sparse):
        return X.indptr, X.indices, X.values, PIXELS.astype(dtype)
    return *address(X), np.empty(0, X.dtype)


def _evaluation_team(layers, rows, threads):
    """Threads worth starting for a pass over `rows` rows without training."""
    blocks = -(-rows // BLOCK_ROWS)
    if blocks == 1 or threads == 1:
        return 1
    return max(1, min(threads, blocks, rows * multiply_adds(layers) // PASS_WORTH_SHARING))


def _private_workspaces(layers, dtype, size, X):
    """A workspace of BLOCK_ROWS rows for each thread, as rows of one (size, elements) array, and their common table.

    The calling thread keeps its last one: allocating it costs more than classifying a single row.
    """
    key = (id(layers), dtype, size, isinstance(X, Sparse))
    cached = getattr(_cached, "workspaces", None)
    if cached is None or cached[0] != key:
        work, places, _ = workspace(layers, BLOCK_ROWS, dtype, not isinstance(X, Sparse), trains=False)
        works = aligned_zeros(size * len(work), dtype).reshape(size, len(work))
        cached = _cached.workspaces = key, (works, places), layers  # layers stays alive: nothing else gets its id
    return cached[1]


_cached = threading.local()


def _sum(total, values):
    """total + values, one after the other, however many calls they come in: numpy's order may differ between CPUs."""
    for value in values:
        total += value
    return total


_train_dense = entry("train_dense", thread_loops.train_dense(step_sgd.affine_first, step_sgd))
_train_sparse = entry("train_sparse", thread_loops.train_sparse(step_sgd))
_train_general_dense = entry("train_general_dense", thread_loops.train_dense(step_general.affine_first, step_general))
_train_distorted = entry("train_distorted", thread_loops.train_dense(step_general.affine_distorted, step_general))
_train_general_sparse = entry("train_general_sparse", thread_loops.train_sparse(step_general))
_train_small = entry("train_small", small.train_small(dense_rows, gather_dense))
_train_small_sparse = entry("train_small_sparse", small.train_small(sparse_rows, gather_sparse))
_evaluate_dense = entry("evaluate_dense", thread_loops.evaluate(affine_dense, thread_loops.cross_entropies))
_evaluate_sparse = entry("evaluate_sparse", thread_loops.evaluate(affine_sparse, thread_loops.cross_entropies))
_evaluate_any_dense = entry("evaluate_any_dense", thread_loops.evaluate(affine_dense, thread_loops.any_losses))
_evaluate_any_sparse = entry("evaluate_any_sparse", thread_loops.evaluate(affine_sparse, thread_loops.any_losses))
_predict_dense = entry("predict_dense", thread_loops.predict(affine_dense))
_predict_skipping = entry("predict_skipping", thread_loops.predict_skipping)
_predict_sparse = entry("predict_sparse", thread_loops.predict(affine_sparse))
_sum_in_order = entry("sum_in_order", _sum)
