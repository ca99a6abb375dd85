"""Accuracy per second: how good a network is after half a second of training on MNIST, after two, after thirty.

    python -m bench.speedrun                      the shorter budgets, every peer; a table
    python -m bench.speedrun --out docs           and speedrun.md, speedrun.json, images/speedrun.png in docs
    python -m bench.speedrun --only three-minutes twenty-minutes --out docs      adds these
    python -m bench.speedrun --validate           judged by validation images: what the settings were chosen by

Each training is a separate process, `bench.speedrun_trainers`, which starts its clock when everything is compiled,
with uint8 pixels in memory, and hands over its weights. This process judges them and trains nothing.
"""

import argparse
import io
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from statistics import median

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from fastmlp.data import load
from fastmlp.utils.atomic_files import write_bytes, write_text

from . import machine
from .baselines import Careful
from .crew import REPOSITORY
from .report import OUR_COLOUR, machine_text, table
from .speedrun_budgets import BUDGETS, DEFAULT
from .speedrun_trainers import TRAINERS, reason_for_absence
from .workloads import load_weights

SEEDS, PEER_SEEDS = 5, 1
# In budgets from so many seconds on, peers train with fewer seeds.
LONG = 10
TRAINING_ROWS, VALIDATION_ROWS = 60_000, 10_000
LEFT_OUT = "left out of the run that measured it"
TITLES = {"fastmlp": "fastmlp", "torch": "PyTorch, eager", "scikit-learn": "scikit-learn"}
STYLES = {"fastmlp": (OUR_COLOUR, "o"), "torch": ("#D55E00", "s"), "scikit-learn": ("#7F7F7F", "^")}


def measure(budget, peers, seeds, rows, judged):
    """The budget's settings, the runs of each peer, and who is absent why.

    seeds: of each peer, None for the usual number; rows: training images; judged: (X, y), X uint8.
    """
    runs, absent = [], {peer: LEFT_OUT for peer in TRAINERS if peer not in peers}
    for seed in range(max(SEEDS, seeds or 0)):
        for peer in peers:
            usual = PEER_SEEDS if peer != "fastmlp" and budget.seconds >= LONG else SEEDS
            if seed >= (seeds or usual) or peer in absent:
                continue
            if reason := reason_for_absence(budget, peer):
                absent[peer] = reason
                continue
            _say(f"{budget.name}: {peer}, seed {seed}")
            run = _train(budget, peer, seed, rows, judged)
            if isinstance(run, str):
                absent[peer] = run
            else:
                runs.append(run)
    return {"budget": asdict(budget), "runs": runs, "absent": absent}


def _train(budget, peer, seed, rows, judged):
    """The run of one training, or the last line of what went wrong."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "weights.npz")
        command = [sys.executable, "-m", "bench.speedrun_trainers", budget.name, peer, str(seed), str(rows), str(path)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, check=False)
        if done.returncode:
            return done.stderr.strip().splitlines()[-1]
        accuracy = judge(*load_weights(path), *judged)
    return {"peer": peer, "seed": seed, "seconds": float(done.stdout.split()[-1]), "accuracy": accuracy}


def judge(weights, biases, X, y):
    """Share of images (N, 784) uint8 whose most probable class is the right one, by numpy."""
    network = Careful(weights, biases, len(y))
    return float((network.probabilities((X / 255).astype(np.float32)).argmax(axis=1) == y).mean())


def summary(result):
    """(peer, median accuracy, least, greatest, median seconds, runs) of each peer that took part."""
    by_peer = {}
    for run in result["runs"]:
        by_peer.setdefault(run["peer"], []).append(run)
    for peer, runs in by_peer.items():
        accuracies = [run["accuracy"] for run in runs]
        seconds = median(run["seconds"] for run in runs)
        yield peer, median(accuracies), min(accuracies), max(accuracies), seconds, len(runs)


def results_table(results):
    """Markdown: a row for each budget and peer."""
    rows = [("wanted", "", "accuracy", "range", "seconds", "seeds")]
    for result in results:
        budget = result["budget"]
        for peer, middle, least, greatest, seconds, count in summary(result):
            text, wanted = f"{middle:.2%}", f"{budget['wanted']:.1%} in {budget['seconds']:g} s"
            both = middle >= budget["wanted"] and seconds <= budget["seconds"]
            range_text = f"{least:.2%} to {greatest:.2%}" if count > 1 else ""
            rows.append(
                (wanted, TITLES[peer], f"**{text}**" if both else text, range_text, f"{seconds:.2f}", str(count))
            )
    return table(rows)


def page(measured):
    """The whole of speedrun.md."""
    results = measured["budgets"]
    settings = [("budget", "hidden", "batch", "rate", "epochs", "weight decay", "label smoothing", "distortion")]
    for result in results:
        b = result["budget"]
        settings.append(
            (
                f"{b['seconds']:g} s", "-".join(map(str, b["hidden"])), str(b["batch_size"]), f"{b['learning_rate']:g}",
                str(b["epochs"]), f"{b['weight_decay']:g}",
                f"{b['label_smoothing']:g}", b["augment"] or "none",
            )
        )  # fmt: skip
    absent = [
        f"- {TITLES[peer]}, {result['budget']['seconds']:g} s: {reason}."
        for result in results
        for peer, reason in result["absent"].items()
    ]
    parts = [
        "# Accuracy per second",
        "How good a network on MNIST is after so many seconds of training, on all cores of one machine. This page is "
        f"generated: `{measured['command']}` wrote it, on {measured['date']}, with "
        "[`speedrun.json`](speedrun.json), which holds every run.",
        "![Test accuracy against seconds of training](images/speedrun.png)",
        results_table(results),
        "Medians over the seeds, which draw the first weights and the order of the images; in bold "
        "what is both as accurate and as fast as wanted.",
        "## Settings",
        table(settings),
        "All are relu networks, trained with AdamW and one cycle of the learning rate, whose peak is the rate above. "
        "They were chosen by the accuracy on the last 10,000 training images after a training on the 50,000 before; "
        "`python -m bench.speedrun --validate` measures that again. Those of the two longest budgets are those of "
        "a shorter training. The networks above are trained on all 60,000.",
        "## How it was measured",
        METHOD,
        "Absent:\n\n" + "\n".join(absent) if absent else "",
        machine_text(measured["machine"]),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


METHOD = """\
- A training is a separate process that reads the training images alone. It first trains on a few batches, so that
  everything is compiled and loaded; the clock then runs from uint8 pixels in memory to the last step. Nothing is
  evaluated meanwhile.
- The process hands over its weights, and another one, which trains nothing, counts the right answers on the 10,000 test
  images with numpy.
- PyTorch has the same network, batches, label smoothing, decay of weights and rate of every step, its own first
  weights, and the fused AdamW. scikit-learn has Adam without label smoothing and decoupled decay, and its rate changes
  ten times in an epoch.
- The libraries take turns, seed after seed."""


def draw(results, path):
    """Accuracy against seconds, a line for each library; the wanted ones as crosses."""
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    points = {}
    for result in results:
        for peer, middle, least, greatest, seconds, _ in summary(result):
            points.setdefault(peer, []).append((seconds, middle, middle - least, greatest - middle))
    for peer, found in points.items():
        seconds, middle, below, above = map(np.array, zip(*sorted(found), strict=True))
        colour, marker = STYLES[peer]
        axes.errorbar(
            seconds, 100 * middle, 100 * np.array([below, above]), color=colour, marker=marker, capsize=3,
            label=TITLES[peer],
        )  # fmt: skip
    wanted = [(result["budget"]["seconds"], 100 * result["budget"]["wanted"]) for result in results]
    axes.plot(*zip(*wanted, strict=True), "x", color="black", markersize=8, label="wanted")
    axes.set_xscale("log")
    axes.set_xlabel("seconds of training")
    axes.set_ylabel("test accuracy, %")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, loc="lower right")
    axes.spines[["top", "right"]].set_visible(False)
    image = io.BytesIO()
    figure.savefig(image, dpi=110, format="png")
    write_bytes(path, image.getbuffer())


def _joined(before, result):
    """A result with the runs of the peers that it left out, where these had the same settings before."""
    if before["budget"] != result["budget"]:
        return result
    left_out = [peer for peer, reason in result["absent"].items() if reason == LEFT_OUT]
    kept = [run for run in before["runs"] if run["peer"] in left_out]
    absent = {peer: reason for peer, reason in result["absent"].items() if peer not in left_out}
    absent |= {peer: reason for peer, reason in before["absent"].items() if peer in left_out}
    return {**result, "runs": result["runs"] + kept, "absent": absent}


def write(measured, folder):
    """The numbers, the page and the figure; budgets and peers of an earlier run on the same machine stay."""
    path = folder / "speedrun.json"
    known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    measured = json.loads(json.dumps(measured))  # as it is read again: with lists for tuples
    if known.get("machine") == measured["machine"]:
        ours = {result["budget"]["name"]: result for result in known["budgets"]}
        for result in measured["budgets"]:
            name = result["budget"]["name"]
            ours[name] = _joined(ours[name], result) if name in ours else result
        measured = {**measured, "budgets": [ours[budget.name] for budget in BUDGETS if budget.name in ours]}
    write_text(path, json.dumps(measured, indent=1) + "\n")
    draw(measured["budgets"], folder / "images" / "speedrun.png")
    write_text(folder / "speedrun.md", page(measured))


def _say(line):
    print(line, file=sys.stderr, flush=True)


def _arguments(given):
    parser = argparse.ArgumentParser(prog="python -m bench.speedrun", description=__doc__.splitlines()[0])
    names = [budget.name for budget in BUDGETS]
    parser.add_argument("--only", nargs="+", metavar="BUDGET", choices=names, default=DEFAULT, help=", ".join(names))
    parser.add_argument("--peers", nargs="+", metavar="PEER", choices=list(TRAINERS), help="fastmlp and these alone")
    parser.add_argument("--seeds", type=int, help=f"of everyone (default: {SEEDS}; {PEER_SEEDS} of peers in long runs)")
    parser.add_argument("--rows", type=int, help="training rows at most, for a trial")
    parser.add_argument("--validate", action="store_true", help="judge by validation images; look at no test image")
    parser.add_argument("--out", type=Path, help="folder of speedrun.md, speedrun.json and images/speedrun.png")
    arguments = parser.parse_args(given)
    if arguments.validate and arguments.out:
        parser.error("--out was given with --validate; the page has test accuracies: leave one of the two out")
    return arguments


def main(given=None):
    arguments = _arguments(given)
    peers = list(TRAINERS) if not arguments.peers else ["fastmlp", *(n for n in arguments.peers if n != "fastmlp")]
    rows, judged = TRAINING_ROWS, None
    if arguments.validate:
        rows, train = TRAINING_ROWS - VALIDATION_ROWS, load("auto")
        judged = train.X[rows:TRAINING_ROWS], train.y[rows:TRAINING_ROWS]
    else:
        test = load("auto", part="test")
        judged = test.X, test.y
    rows, begun, results = min(rows, arguments.rows or rows), time.time(), []
    for budget in BUDGETS:
        if budget.name in arguments.only:
            results.append(measure(budget, peers, arguments.seeds, rows, judged))
            print(results_table(results[-1:]), flush=True)
    measured = {
        "date": time.strftime("%Y-%m-%d", time.gmtime(begun)),
        "command": "python -m bench.speedrun --out docs",
        "machine": machine.describe(),
        "minutes": round((time.time() - begun) / 60, 1),
        "budgets": results,
    }
    if arguments.out:
        write(measured, arguments.out)


if __name__ == "__main__":
    main()
