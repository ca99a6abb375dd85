"""How the cost of a sweep grows with cells, rows, width and cores, measured here; and with workers, computed.

python -m bench.scaling              the tables of docs/scaling.md; --json for programs, --quick for a trial
"""

import argparse
import itertools
import json
import math
import tempfile
import time
from pathlib import Path

from fastmlp import MLP, plots
from fastmlp.data import first_rows, load, split
from fastmlp.experiment.executors.base import SweepData
from fastmlp.experiment.executors.registry import open_executor
from fastmlp.experiment.executors.worker import pack
from fastmlp.experiment.recipe import Recipe
from fastmlp.kernels.thread_team import available_cores

HIDDEN, BATCH, EPOCHS = (100, 50, 25), 100, 5
CELLS, WIDTHS = (1, 2, 4, 8), (32, 64, 128, 256, 512)
# Rows of the middle table row; measurements, of which the fastest counts; cells in which there is nothing to do.
FULL, QUICK = (20_000, 4, 200), (800, 1, 4)
# What is computed: a sweep of so many cells, which take so many seconds each, on so many workers of one core.
SWEEP, CELL_SECONDS, WORKERS = 1_000, (1, 60, 3_600), (1, 10, 100, 300, 1_000)
NETWORK = 125e6  # bytes per second: 1 Gbit/s


def epoch_milliseconds(train, repetitions, threads=None, **settings):
    """The fastest epoch of one network, training alone."""
    wanted = {
        "hidden": HIDDEN,
        "batch_size": BATCH,
        "epochs": repetitions * EPOCHS,
        "train_metrics": "running",
        **settings,
    }
    mlp = MLP(threads=threads, **wanted).fit(train.X, train.y)
    return 1e3 * min(mlp.history["seconds"])


def cells_of(settings, count):
    """Cells that differ in their seed alone."""
    return Recipe("cells", settings=settings, grid={"seed": list(range(count))}).cells()


def cells_seconds(train, validation, count):
    """Seconds from the start to the last of so many cells, side by side on all cores."""
    cells = cells_of({"hidden": HIDDEN, "batch_size": BATCH, "epochs": EPOCHS}, count)
    begun = time.perf_counter()
    for _ in open_executor("threads").train(cells, SweepData(train, validation), count=count):
        pass
    return time.perf_counter() - begun


def multiply_adds(widths, density):
    """Of one training step, for one sample: forward, delta (not for the inputs) and update."""
    first, *others = (fan_in * fan_out for fan_in, fan_out in itertools.pairwise(widths))
    return 2 * density * first + 3 * sum(others)


def home_milliseconds(train, validation):
    """What a cell costs on the machine that gathers the results: its files are written there, one after the other."""
    settings = {"hidden": HIDDEN, "batch_size": BATCH, "epochs": EPOCHS}
    image = MLP(**settings).fit(train.X, train.y, (validation.X, validation.y)).to_bytes()
    samples = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(6):
            begun = time.perf_counter()
            mlp = MLP.from_bytes(image)
            mlp.history.to_csv(Path(folder, "history.csv"))
            mlp.save(Path(folder, "model.safetensors"))
            panel = plots.Panel("a cell", mlp.history, mlp.decay_epochs, mlp.failure_reason, EPOCHS)
            plots.save(plots.curves_figure([panel], (1, 1), "a sweep"), Path(folder, "curve.png"))
            samples.append(1e3 * (time.perf_counter() - begun))
    return min(samples), len(image)


def cluster_overhead(train, validation, count):
    """Milliseconds that Dask takes for a cell in which there is nothing to do, and seconds to send the data."""
    from distributed import LocalCluster

    tiny = [first_rows(part, 20) for part in (train, validation)]
    cells = cells_of({"hidden": (), "epochs": 1, "engine": "numpy"}, count)
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as local:
        cluster = open_executor("dask", scheduler=local.scheduler_address)
        begun = time.perf_counter()
        shared = cluster.share(pack([train, validation]))
        sent = time.perf_counter() - begun
        del shared
        samples = []
        for _ in range(4):
            begun = time.perf_counter()
            for _ in cluster.train(cells, SweepData(*tiny)):
                pass
            samples.append(1e3 * (time.perf_counter() - begun) / len(cells))
        cluster.close()
    return min(samples), sent


def makespan(cells, seconds, workers, serial, data_bytes=0, network=NETWORK):
    """Seconds of a sweep on so many workers of one core: see "On a cluster" in docs/scaling.md.

    seconds  of a cell on a worker, all alike;  serial  seconds per cell where results are gathered, one after the other
    """
    rounds = math.ceil(cells / workers)
    last = cells - (rounds - 1) * workers
    sending = data_bytes / network * math.ceil(math.log2(workers + 1))
    # While a round trains, the results of the one before are gathered; those of the last one when all is trained.
    return sending + seconds + max((rounds - 1) * seconds, (cells - last) * serial) + last * serial


def measure(rows, repetitions, empty_cells, data="auto"):
    """All figures."""
    data = load(data)
    train, validation = split(data, rows // 4, training=2 * rows)
    some = first_rows(train, rows)
    density = float((train.X != 0).mean())
    home, image = home_milliseconds(some, validation)
    found = {
        "data": data.name,
        "cores": available_cores(),
        "density": density,
        "cells": {n: min(cells_seconds(some, validation, n) for _ in range(repetitions)) for n in CELLS},
        "rows": {
            n: epoch_milliseconds(first_rows(train, n), repetitions) for n in (rows // 4, rows // 2, rows, 2 * rows)
        },
        "widths": {
            w: (
                2e-6 * rows * multiply_adds((data.X.shape[1], w, w, data.class_count), density),
                epoch_milliseconds(some, repetitions, hidden=(w, w)),
            )
            for w in WIDTHS
        },
        "threads": {n: epoch_milliseconds(some, repetitions, n) for n in sorted({1, available_cores()})},
        "home_milliseconds": home,
        "model_bytes": image,
        "data_bytes": train.X.nbytes + validation.X.nbytes + train.y.nbytes + validation.y.nbytes,
    }
    try:
        found["overhead_milliseconds"], found["sending_seconds"] = cluster_overhead(train, validation, empty_cells)
    except ImportError:
        found["overhead_milliseconds"] = None
    return found


def page(found):
    """The tables in Markdown."""
    lines = [f"{found['data']}, {found['cores']} cores; {found['density']:.0%} of the inputs are not zero", ""]
    lines += ["| cells | seconds | seconds per cell |", "|---|---|---|"]
    lines += [f"| {n} | {s:.2f} | {s / n:.2f} |" for n, s in found["cells"].items()]
    lines += ["", "| rows | ms per epoch | µs per row |", "|---|---|---|"]
    lines += [f"| {n:,} | {ms:.1f} | {1e3 * ms / n:.2f} |" for n, ms in found["rows"].items()]
    lines += ["", "| hidden | MFLOP per epoch | ms per epoch | GFLOP/s |", "|---|---|---|---|"]
    lines += [f"| {w}, {w} | {mf:,.0f} | {ms:.1f} | {mf / ms:.1f} |" for w, (mf, ms) in found["widths"].items()]
    lines += ["", "| threads | ms per epoch |", "|---|---|"]
    lines += [f"| {n} | {ms:.1f} |" for n, ms in found["threads"].items()]
    lines += ["", f"a cell's files: {found['home_milliseconds']:.0f} ms, {found['model_bytes'] / 1e3:.0f} kB come home"]
    if found["overhead_milliseconds"] is None:
        return "\n".join([*lines, "Dask is not installed: pip install 'fastmlp[dask]' measures it"])
    lines += [
        f"an empty cell through Dask: {found['overhead_milliseconds']:.1f} ms; "
        f"{found['data_bytes'] / 1e6:.0f} MB to two workers: {found['sending_seconds']:.2f} s",
        "",
        *computed(found),
    ]
    return "\n".join(lines)


def computed(found):
    """The table of what a sweep would take on clusters of many sizes."""
    costs = (found["overhead_milliseconds"] + found["home_milliseconds"]) / 1e3, found["data_bytes"]
    lines = [f"| workers | {' | '.join(f'cells of {t:,} s' for t in CELL_SECONDS)} |", "|---" * 4 + "|"]
    for workers in WORKERS:
        times = [makespan(SWEEP, seconds, workers, *costs) for seconds in CELL_SECONDS]
        used = [SWEEP * seconds / workers / time for seconds, time in zip(CELL_SECONDS, times, strict=True)]
        lines.append(
            f"| {workers:,} | "
            + " | ".join(f"{time:,.0f} s ({share:.0%})" for time, share in zip(times, used, strict=True))
            + " |"
        )
    return lines


def main():
    parser = argparse.ArgumentParser(prog="python -m bench.scaling", description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--quick", action="store_true", help="few rows, once: to try it out")
    parser.add_argument("--data", default="auto", help="name or path (default: auto)")
    arguments = parser.parse_args()
    found = measure(*(QUICK if arguments.quick else FULL), arguments.data)
    print(json.dumps(found) if arguments.json else page(found))


if __name__ == "__main__":
    main()
