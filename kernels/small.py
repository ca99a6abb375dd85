"""Training of small networks: samples stand in the lanes of a register, units in rows.

A layer of four units fills a quarter of a register that holds its columns, and a tile of four samples is soon done.
Here a block of BLOCK_ROWS samples is transposed: row k of a layer's inputs holds input k of each sample. The products
are those of `dense.py`, with the weights in the place of the samples:

    affine     C (units, samples) = f(W.T (units, inputs + 1) @ A (inputs + 1, samples)), the last row of A being ones
    delta      C (inputs, samples) = (W (inputs, units) @ D (units, samples)) * f'(A)
    gradient   G (inputs + 1, units) += A (inputs + 1, samples) @ D.T (samples, units)

The biases follow the weights in the parameters: they are the weights of an input that is one. The gradient of few
weights is summed by lanes (`dots.py`), that of more has its columns in the lanes again, and D is transposed for it.

A batch is cut into parts, whatever the number of threads. A part has a gradient of its own, to which its blocks add one
after the other, and the parts' gradients are added in order. So a result does not depend on the number of threads; it
differs from that of the other kernels in the last bits.

Where there are few parts, each thread takes the whole step, on a copy of the network that is its own. That is less work
than to wait for the other threads' rows, and to fetch them.

Arrays are handed on as pointers: numba would count the references to each at every call, by atomic operations.
"""

import numpy as np

from .cpu import REGISTER_BYTES
from .dense import DELTA, PLAIN_SUM, affine_block, delta_block, multiply
from .dots import (
    BELOW_HIGH,
    BELOW_WIDE,
    WIDE,
    add_dots,
    below_one,
    delta_of_one,
    dots_of_line,
    dots_of_one,
    fold_rows,
)
from .gather import clear_rest
from .jit import inlined
from .layout import (
    ACTIVATION,
    COLUMNS,
    FAN_IN,
    FAN_OUT,
    LINE,
    MOST_LANES,
    RELU,
    SIGMOID,
    STRIDE,
    SUM_TERMS,
    WEIGHTS,
    aligned_zeros,
    buffer_size,
)
from .loss import loss_block, squared_columns, total_weight
from .optimizer import add_rows, copy_network, step_column, step_rows
from .registers import UNIT, ZERO, lanes_of, load, pointer, shifted, transpose_block
from .task_types import SQUARED
from .thread_team import barrier_wait, enter, leave, partition
from .tile import tile

# Samples of a block: twice those of `layout`, so that the sums of a gradient are read and written half as often.
BLOCK_ROWS = 128
# Parts of a batch at most, and so threads, but of batches so large that a part would have more than SUM_TERMS samples;
# samples of a part at least, where there are several.
MOST_PARTS, PART_ROWS = 16, 96
# Elements of all parts' gradients up to which each thread adds them up for itself, and steps a copy of the network.
COPIED_GRADIENTS = 1 << 15
# A part's samples are a multiple of this, whole registers of any CPU.
GRAIN_ROWS = 16
# Weights of a layer, biases included, up to which its gradient is summed by lanes: 64 KB of sums.
FEW_WEIGHTS = 1024
# Registers that are computed together of a row of outputs that is alone: of a whole block where they are widest.
ROW_REGISTERS = 8
# Units that are computed before a single output adds them up: 26 KB of them in float32.
JOINED_UNITS = np.int64(52)
# The columns of `work_table` behind those of `layout`: offsets of a layer's inputs and of its delta, of the sums of its
# gradient (-1 for none) and for how many units they stand in a row; elements from one row of its gradient to the next.
# That of a single unit has no gaps: threads fetch it from one another by cache lines. The row after the last layer has
# the logits, room for transposed ones in the place of a delta, and as STRIDE that of rows of any block.
INPUTS, DELTAS, SUMS, ACROSS, GRADIENT_STRIDE = range(7, 12)
TABLE_COLUMNS = 12


def _block_row(batch_size, dtype):
    """Elements from one row of a block to the next: no more than there are samples, but a block's from a half of it on.

    More than half of a block is computed like a whole one. Rows without gaps stand in all sets of a cache.
    """
    line = LINE // np.dtype(dtype).itemsize
    return -(-batch_size // line) * line if 2 * batch_size <= BLOCK_ROWS else BLOCK_ROWS


def work_table(layers, dtype, batch_size):
    """((layers + 1, TABLE_COLUMNS) table of a network and its workspace, elements of a thread's workspace, of sums)."""
    block = _block_row(batch_size, dtype)
    table = np.full((len(layers) + 1, TABLE_COLUMNS), -1)
    table[:-1, : layers.shape[1]] = layers
    line, sums, widest = LINE // np.dtype(dtype).itemsize, 0, int(layers[:, STRIDE].max())
    end = max(widest, block)  # zeros
    for row in table[:-1]:
        row[INPUTS], row[DELTAS] = end, end + (row[FAN_IN] + 1) * block
        end = int(row[DELTAS] + row[COLUMNS] * block)
        row[ACROSS] = min(row[FAN_OUT], line)
        row[GRADIENT_STRIDE] = 1 if row[FAN_OUT] == 1 and row[FAN_IN] >= 2 * MOST_LANES else row[STRIDE]
        count = int((row[FAN_IN] + 1) * (row[FAN_OUT] if row[FAN_OUT] < line else row[COLUMNS]))
        if count <= FEW_WEIGHTS:
            row[SUMS] = sums
            sums += -(-count // line) * line * (line + 1)  # a line each, and one element
    columns = int(layers[-1, COLUMNS])
    table[-1, INPUTS], table[-1, DELTAS], table[-1, STRIDE] = end, end + columns * block, block
    return table, end + columns * block + 2 * widest * BLOCK_ROWS, sums


def workspace(layers, dtype, size, batch_size):
    """What `train_small` works in: its arguments from `table` to `losses`."""
    table, elements, sums = work_table(layers, dtype, batch_size)
    work = aligned_zeros(size * elements, dtype).reshape(size, elements)
    for row in table[:-1]:
        work[:, row[DELTAS] - table[-1, STRIDE] : row[DELTAS]] = 1
    parameters = buffer_size(layers)
    # Of any batch up to that.
    parts = min(max(batch_size // PART_ROWS, 1), max(MOST_PARTS, -(-batch_size // SUM_TERMS)))
    gradients = aligned_zeros(2 * parts * parameters, dtype).reshape(2 * parts, parameters)
    copies = 4 if size > 1 and parts * parameters <= COPIED_GRADIENTS else 1
    own = aligned_zeros(size * copies * parameters, dtype).reshape(size, copies, parameters)
    sums = aligned_zeros(size * sums, dtype).reshape(size, sums)
    return table, work, sums, gradients, own, np.zeros(size * BLOCK_ROWS), np.zeros(2 * parts)


def _parts(count):
    """(parts of a batch of `count` samples, samples of all but the last)."""
    parts = min(max(count // PART_ROWS, 1), max(MOST_PARTS, (count + SUM_TERMS - 1) // SUM_TERMS))
    rows = ((count + parts - 1) // parts + GRAIN_ROWS - 1) // GRAIN_ROWS * GRAIN_ROWS
    return (count + rows - 1) // rows, rows


_parts_of, _row_tile = inlined(_parts), tile(1, ROW_REGISTERS)


def train_small(rows_of, gather_block):
    """Thread `me`'s part of `train`: its parts of the batch, then its rows of every weight matrix.

    rows_of, gather_block   of dense or of sparse inputs: what is read of them; what puts a block into the workspace
    """

    def run(
        me, size, state, source, parameters, order, batches, task, table, work, sums, gradients, own, each,
        losses, hits, totals, marked,
    ):  # fmt: skip
        """
        table      `work_table`
        work       (size, elements): room for a block of each thread
        sums       (size, elements): of its gradients, by lanes
        gradients  (2 * parts, elements), in the layout of the parameters: of a step, and of the one before it
        own        (size, 1, elements): a thread's sum of them; (size, 4, elements): also its weights and their states
        each       (size * BLOCK_ROWS,) float64: losses of each thread's block
        losses     (2 * parts,) float64: their sums
        """
        size = enter(state, me, size)
        if size == 0:
            return False
        X, phase, steps = rows_of(source), UNIT, batches.shape[0] // totals.shape[0]
        net, last, weights, mine = pointer(table), table.shape[0] - 2, pointer(parameters), me * np.int64(BLOCK_ROWS)
        room, lines = shifted(pointer(work), me * work.shape[1]), shifted(pointer(sums), me * sums.shape[1])
        y, targets, loss, rule, schedule = task.y, task.targets, task.loss, task.rule, task.schedule
        states, total_gradient = (pointer(task.first), pointer(task.second)), pointer(own[me])
        copied, summed = own.shape[1] > 1, 0.0
        stepper, steppers = (ZERO, UNIT) if copied else (me, size)
        if copied and me > 0:
            copies, count = (pointer(own[me, 1]), pointer(own[me, 2]), pointer(own[me, 3])), own.shape[2]
            add_rows(UNIT, weights, ZERO, copies[0], count)
            add_rows(UNIT, states[0], ZERO, copies[1], count)
            add_rows(UNIT, states[1], ZERO, copies[2], count)
            weights, states = copies[0], (copies[1], copies[2])
        block = _of(net, last + 1, STRIDE)
        features, outputs, padded = _of(net, ZERO, FAN_IN), _of(net, last, FAN_OUT), _of(net, last, COLUMNS)
        inputs, Z = shifted(room, _of(net, ZERO, INPUTS)), shifted(room, _of(net, last + 1, INPUTS))
        D, T = shifted(room, _of(net, last, DELTAS)), shifted(room, _of(net, last + 1, DELTAS))
        target, target_row = pointer(targets), targets.shape[1]
        line = LINE // REGISTER_BYTES * lanes_of(room)
        is_plain = loss.kind == SQUARED and loss.weights.shape[0] == 0
        for step in range(batches.shape[0]):
            start, count, epoch = batches[step, 0], batches[step, 1] - batches[step, 0], step // steps
            parts, part_rows = _parts_of(count)
            # A thread that is ahead does not touch what another one still adds up.
            half = step % 2 * (losses.shape[0] // 2)
            step_gradients = shifted(pointer(gradients), half * gradients.shape[1])
            if step % steps == 0:
                summed = totals[epoch, 0]
            first_part, end_part = partition(parts, me, size, 1)
            for part in range(first_part, end_part):
                G, total = shifted(step_gradients, part * gradients.shape[1]), 0.0
                begin, end = start + part * part_rows, start + min((part + 1) * part_rows, count)
                for at in range(begin, end, BLOCK_ROWS):
                    rows = min(BLOCK_ROWS, end - at)
                    wide = (rows + line - 1) // line * line
                    gather_block(X, pointer(order), at, rows, features, inputs, block)
                    # Of samples that there are not, everything stays finite, and their delta is zero.
                    clear_rest(features, rows, wide, inputs, block)
                    _forward(net, last, weights, room, wide)
                    if is_plain:
                        squared_columns(
                            pointer(order), at, rows, wide, outputs, Z, D, block, target, target_row,
                            shifted(pointer(each), mine),
                        )  # fmt: skip
                    else:
                        U = shifted(T, np.int64(BLOCK_ROWS) * padded)
                        transpose_block(padded, wide, Z, block, T, padded)
                        hits[me, epoch] += loss_block(
                            loss, order, at, rows, outputs, padded, T, padded, y, targets, U, padded, each, mine
                        )
                        transpose_block(wide, padded, U, padded, D, block)
                    clear_rest(outputs, rows, wide, D, block)
                    _backward(at == begin, at + rows == end, net, last, weights, room, rows, wide, G, lines)
                    for i in range(rows):
                        total += each[mine + i]
                losses[half + part] = total
            phase = barrier_wait(state, size, phase)
            total = total_weight(loss.weights, order, start, count)
            # A batch whose samples all weigh nothing has the gradient zero.
            scale = 1 / total if total > 0 else 0.0
            _step(
                stepper, steppers, net, last, weights, step_gradients, gradients.shape[1], parts, total_gradient,
                states, rule, schedule[step], scale,
            )  # fmt: skip
            for part in range(parts):
                summed += losses[half + part]
            if me == 0:
                totals[epoch, 0] = summed
            if not copied:
                phase = barrier_wait(state, size, phase)
            copy_network(me, batches[step, 2], parameters, marked)
            if (step + 1) % steps == 0 and not np.isfinite(summed):
                break  # nan in the weights never leaves them
        return leave(state, me, size)

    return run


@inlined
def _of(net, layer, column):
    """An element of `work_table`, to whose first one `net` points."""
    return load(net, layer * TABLE_COLUMNS + column)


@inlined
def _forward(net, last, weights, room, wide):
    """The outputs of every layer for a block of `wide` samples."""
    block = _of(net, last + 1, STRIDE)
    # A single output is summed up behind some units at a time, which are still in the first cache then.
    is_joined = last > 0 and _of(net, last, FAN_OUT) == 1 and 2 * wide > BLOCK_ROWS
    for layer in range(last if is_joined else last + 1):
        stride, units, depth = _of(net, layer, STRIDE), _of(net, layer, FAN_OUT), _of(net, layer, FAN_IN) + 1
        A, out = shifted(room, _of(net, layer, INPUTS)), shifted(room, _of(net, layer + 1, INPUTS))
        W, joins = shifted(weights, _of(net, layer, WEIGHTS)), is_joined and layer == last - 1
        height = JOINED_UNITS if joins else units
        for left in range(0, units, height):
            count = min(height, units - left)
            affine_block(
                count, wide, shifted(W, left), UNIT, stride, A, block, depth, room, _of(net, layer, ACTIVATION),
                shifted(out, left * block), block,
            )  # fmt: skip
            if joins:
                _add_to_one(net, last, left, count + (left + count) // units, weights, room, wide)


@inlined
def _add_to_one(net, last, left, count, weights, room, wide):
    """Add the terms of `count` inputs of a single output, from `left` on, to those before them."""
    block, stride = _of(net, last + 1, STRIDE), _of(net, last, STRIDE)
    W = shifted(weights, _of(net, last, WEIGHTS) + left * stride)
    A, Z = shifted(room, _of(net, last, INPUTS) + left * block), shifted(room, _of(net, last + 1, INPUTS))
    init = room if left == 0 else Z
    for at in range(0, wide, ROW_REGISTERS * lanes_of(W)):
        a, z, c = shifted(A, at), shifted(init, at), shifted(Z, at)
        _row_tile(W, UNIT, stride, a, block, count, z, ZERO, c, block, c, block, PLAIN_SUM, 1.0)


@inlined
def _backward(is_first, is_last, net, last, weights, room, rows, wide, G, lines):
    """The deltas of a block from that of the last layer, and its gradient, added to what there is of the part's.

    is_first, is_last   whether it is the part's first block, its last one

    Where the gradient is summed by lanes, as many units as a line has elements go through all this together, so that
    their delta and their sums stay in the first cache.
    """
    T, block = shifted(room, _of(net, last + 1, DELTAS)), _of(net, last + 1, STRIDE)
    line, is_alone = LINE // REGISTER_BYTES * lanes_of(room), is_first and is_last
    fused = _below_one(net, last, line) if is_alone else ZERO
    for layer in range(last, -1, -1):
        stride, inputs, units = _of(net, layer, STRIDE), _of(net, layer, FAN_IN) + 1, _of(net, layer, FAN_OUT)
        A, at, c_row = shifted(room, _of(net, layer, INPUTS)), _of(net, layer, SUMS), _of(net, layer, GRADIENT_STRIDE)
        height = line if at >= 0 else units
        for left in range(0, units, height):
            count = min(height, units - left)
            # Nothing below the first layer needs its delta.
            place = ZERO if layer == 0 and at >= 0 else left * block
            D, C = shifted(room, _of(net, layer, DELTAS) + place), shifted(G, _of(net, layer, WEIGHTS) + left)
            if layer == last - 1 and left + count <= fused:
                place, w_step, u_step = _of(net, last, WEIGHTS), _of(net, last, STRIDE), _of(net, last, GRADIENT_STRIDE)
                below_one(
                    inputs, count, A, shifted(room, _of(net, last, INPUTS) + left * block),
                    shifted(room, _of(net, last, DELTAS)), shifted(weights, place + left * w_step), w_step, D, block,
                    wide, C, c_row, shifted(G, place + left * u_step), u_step,
                )  # fmt: skip
                continue
            if layer < last:
                _delta(net, last, layer, left, count, weights, room, wide, D)
            if is_alone and at >= 0 and count % WIDE == 0:
                dots_of_line(inputs, count, A, D, block, wide, C, c_row)
            elif is_alone and at >= 0 and units == 1:
                done = fused if layer == last else ZERO
                A, C = shifted(A, done * block), shifted(C, done * c_row)
                dots_of_one(inputs - done, A, D, block, wide, C, c_row, lines)
            elif at >= 0:
                across = _of(net, layer, ACROSS)
                # Sums that are folded at once may stand where the others did; behind the last unit there are zeros.
                is_kept = not is_alone or count < height
                S = shifted(lines, at + (left * inputs * line if is_kept else ZERO))
                init = room if is_first else S
                add_dots(inputs, count, A, D, block, wide, init, not is_first, S, across)
                if is_last:
                    fold_rows(inputs, across, S, C, c_row)
            else:
                columns = _of(net, layer, COLUMNS)
                transpose_block(columns, wide, D, block, T, stride)
                init, init_row = (room, ZERO) if is_first else (C, stride)
                multiply(
                    inputs, columns, A, block, UNIT, T, stride, rows, init, init_row, C, stride, C, stride, PLAIN_SUM,
                    1.0,
                )  # fmt: skip


@inlined
def _below_one(net, last, line):
    """Of how many units of the last hidden layer `below_one` takes care: of lines of them, the last one if it fits."""
    if last == 0 or _of(net, last, FAN_OUT) != 1 or _of(net, last - 1, ACTIVATION) != RELU:
        return ZERO
    inputs, units = _of(net, last - 1, FAN_IN), _of(net, last - 1, FAN_OUT)
    fits = _of(net, last - 1, SUMS) >= 0 and _of(net, last, SUMS) >= 0 and inputs % BELOW_HIGH == 0
    whole = units if units % BELOW_WIDE == 0 else units - units % line
    return whole if fits else ZERO


@inlined
def _delta(net, last, layer, left, count, weights, room, wide, out):
    """The delta of some units of a layer from that of the layer above."""
    block = _of(net, last + 1, STRIDE)
    stride, A = _of(net, layer + 1, STRIDE), shifted(room, _of(net, layer + 1, INPUTS) + left * block)
    W, D = shifted(weights, _of(net, layer + 1, WEIGHTS) + left * stride), shifted(room, _of(net, layer + 1, DELTAS))
    activation, above = _of(net, layer, ACTIVATION), _of(net, layer + 1, FAN_OUT)
    if above == 1 and activation <= SIGMOID:
        for i in range(count):
            weight = load(W, i * stride)
            delta_of_one(weight, wide, D, shifted(A, i * block), shifted(out, i * block), DELTA[activation])
    else:
        delta_block(
            count, wide, W, stride, UNIT, D, block, above, room, A, block, 1.0, activation, out, block
        )  # fmt: skip


@inlined
def _step(me, size, net, last, weights, gradients, apart, parts, total, states, rule, coefs, scale):
    """Add up the parts' gradients of thread `me`'s rows of every weight matrix at `total`, and step from them."""
    for layer in range(last + 1):
        stride, fan_in = _of(net, layer, STRIDE), _of(net, layer, FAN_IN)
        first_row, end_row = partition(fan_in + 1, me, size, 1)
        start, g_row, rows = _of(net, layer, WEIGHTS), _of(net, layer, GRADIENT_STRIDE), end_row - first_row
        at = start + first_row * stride
        W, first, second = shifted(weights, at), shifted(states[0], at), shifted(states[1], at)
        G = shifted(gradients, start + first_row * g_row)
        if parts > 1:
            G, source = shifted(total, start), G
            add_rows(parts, source, apart, G, rows * g_row)
        decayed = min(end_row, fan_in) - first_row
        if g_row < stride:
            # Room behind the sums, which take a small part of what is there for them.
            T = shifted(total, start + (fan_in + 2 * MOST_LANES) // MOST_LANES * MOST_LANES)
            step_column(decayed, rows, G, W, stride, first, second, rule, coefs, scale, T)
            continue
        # Rows follow one another without a gap, and are one long row; the padding stays zero.
        end = decayed * stride
        step_rows(UNIT, end, G, ZERO, W, ZERO, first, second, rule, coefs, scale, True)
        if end_row > fan_in:
            g, b, m, v = shifted(G, end), shifted(W, end), shifted(first, end), shifted(second, end)
            step_rows(UNIT, stride, g, ZERO, b, ZERO, m, v, rule, coefs, scale, False)
