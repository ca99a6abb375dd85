"""fastmlp against its peers: answers first, then the time of an epoch and of a prediction.

    python -m bench.compare                 every workload, every peer that is installed; tables
    python -m bench.compare --out docs      and benchmarks.md, benchmarks.json, images/benchmarks.png in docs
    python -m bench.compare --out docs --cpu haswell      the same on the instructions of an older CPU, beside it
    python -m bench.compare --quick --only table batch500 --peers torch jax

Every competitor, a peer with one number of threads, is a separate process, which serves all workloads. They take
turns, A B C A B C, so that the machine's other load hits all alike; those whose turn it is not are stopped, so that no
pool spins while another works.
"""

import argparse
import contextlib
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np

from fastmlp.errors import InputError
from fastmlp.kernels.thread_team import available_cores
from fastmlp.utils.atomic_files import write_text

from . import machine, report
from .cpus import CPUS
from .crew import REPOSITORY, Absent, Crew
from .peers import PEERS
from .workloads import WORKLOADS, Task, load_weights, loss, write_task

# Greatest |loss - loss64| / |loss before the epoch - loss64|, where loss64 is that of the course's network in float64.
LOSS_TOLERANCE = 2e-3
# Greatest difference of a probability from the same network's in float64.
PROBABILITY_TOLERANCE = 1e-4
# A thread count that is this many times slower than the peer's other one is dropped after the first turn.
HOPELESS = 1.3
REPETITIONS, QUICK_REPETITIONS = 3, 1
# The peer whose answers, in float64 with one thread, are the right ones.
YARDSTICK = "course"


def compare(workload, names, repetitions, crew, limit=None):
    """The result of one workload: what was run, who took part with which samples, who is absent and why."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            task = write_task(workload, Path(folder), limit)
        except InputError as reason:
            return {"workload": {"name": workload.name, "title": workload.title}, "skipped": str(reason)}
        entries, absent = [], {}
        for name in [YARDSTICK, *(name for name in names if name != YARDSTICK)]:
            for threads in sorted({1, available_cores()}):
                if threads == 1 or name in names:
                    _admit(folder, name, threads, crew, entries, absent)
        entries = [entry for entry in entries if entry["peer"] in names]
        members = [crew.member(entry["peer"], entry["threads"]) for entry in entries]
        kept = list(zip(members, entries, strict=True))
        for repetition in range(repetitions):
            kept = [(member, entry) for member, entry in kept if not (repetition and _is_hopeless(entry, entries))]
            kept = [pair for pair in kept if _take_turn(*pair, repetition, absent)]
    for entry in entries:
        _summarise(entry)
    return {"workload": task, "entries": entries, "absent": absent}


def _admit(folder, name, threads, crew, entries, absent):
    """Give a competitor its task and check its answer; it gets an entry, or it is absent with a reason."""
    _say(f"  checking {name}, {threads} thread(s)")
    try:
        member = crew.member(name, threads)
        title = member.ask(f"task {folder}")["title"]
        checked = member.ask("check")
        off = _check(Path(folder), name, threads)
    except Absent as reason:
        absent.setdefault(name, str(reason))
        return
    rows = Task(folder).rows
    entries.append(
        {
            "peer": name,
            "title": title,
            "threads": threads,
            "off": off,
            "warm_up_seconds": checked["warm_up"],
            "timed_rows": checked["visits"],
            "scale": rows / checked["visits"],
            "turns": [],
        }
    )


def _take_turn(member, entry, repetition, absent):
    """Time one turn, in milliseconds of a whole epoch; False when the competitor failed."""
    _say(f"  turn {repetition + 1}: {entry['peer']}, {entry['threads']} thread(s)")
    try:
        samples = member.ask("turn")["samples"]
    except Absent as reason:
        absent.setdefault(entry["peer"], str(reason))
        return False
    entry["turns"].append([float(f"{1e3 * seconds * entry['scale']:.5g}") for seconds in samples])
    return True


def _check(folder, name, threads):
    """How far the answer is from that in float64. Absent when that is too far: it would be timing something else."""
    task = Task(folder)
    mine, right = folder / f"answer-{name}-{threads}.npz", folder / f"answer-{YARDSTICK}-1.npz"
    if task.kind == "predict":
        off = float(np.abs(np.load(mine)["probabilities"] - np.load(right)["probabilities"]).max())
        tolerance = PROBABILITY_TOLERANCE
    else:
        target, start = loss(task, *load_weights(right)), loss(task, task.weights, task.biases)
        off = abs(loss(task, *load_weights(mine)) - target) / abs(start - target)
        tolerance = LOSS_TOLERANCE
    if not off <= tolerance:
        raise Absent(f"its answer is {off:.1e} off, and {tolerance:g} is allowed")
    return off


def _is_hopeless(entry, entries):
    """Whether the same peer is much faster with another number of threads, by the first turn."""
    first = [min(other["turns"][0]) for other in entries if other["peer"] == entry["peer"] and other["turns"]]
    return min(entry["turns"][0]) > HOPELESS * min(first)


def _summarise(entry):
    """The median over the turns of each turn's median: every turn counts alike, however many runs it held."""
    entry["median_ms"] = median(median(turn) for turn in entry["turns"]) if entry["turns"] else None


def _measure(module):
    """What `python -m MODULE --json` prints, from a separate process; None with a message when it fails."""
    _say(f"{module}: in a separate process")
    command = [sys.executable, "-m", module, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, check=False)
    if done.returncode:
        _say(f"{module} failed: {done.stderr.strip().splitlines()[-1]}")
        return None
    return json.loads(done.stdout)


def _json(measured):
    """Indented, with lists of numbers on one line."""
    text = json.dumps(measured, indent=1)
    return re.sub(r"\[[-+.\de,\s]+\]", lambda numbers: " ".join(numbers[0].split()), text) + "\n"


def _say(line):
    print(line, file=sys.stderr, flush=True)


def _arguments(given):
    parser = argparse.ArgumentParser(prog="python -m bench.compare", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--only", nargs="+", metavar="WORKLOAD", choices=[w.name for w in WORKLOADS], help="these alone"
    )
    parser.add_argument("--peers", nargs="+", metavar="PEER", choices=list(PEERS), help="fastmlp and these alone")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_REPETITIONS} turns each instead of {REPETITIONS}")
    parser.add_argument("--repetitions", type=int, help="turns of each competitor")
    parser.add_argument("--cpu", default="native", choices=list(CPUS), help="hold every library to its instructions")
    parser.add_argument("--rows", type=int, help="training rows at most, for a trial")
    parser.add_argument("--out", type=Path, help="folder of benchmarks.md, benchmarks.json and images/benchmarks.png")
    arguments = parser.parse_args(given)
    if arguments.out and arguments.cpu != "native" and not (arguments.out / "benchmarks.json").is_file():
        parser.error(f"{arguments.out / 'benchmarks.json'} is not there; measure without --cpu first, to put it beside")
    return arguments


def _command(arguments):
    """The command that measures the same again, into the repository's docs."""
    words = ["python -m bench.compare --out docs"]
    words += ["--quick"] if arguments.quick else []
    for option, default in (("cpu", "native"), ("only", None), ("peers", None), ("repetitions", None), ("rows", None)):
        value = getattr(arguments, option)
        if value != default:
            words += [f"--{option}", *(map(str, value) if isinstance(value, list) else [str(value)])]
    return " ".join(words)


def main(given=None):
    arguments = _arguments(given)
    names = list(PEERS) if not arguments.peers else ["fastmlp", *(n for n in arguments.peers if n != "fastmlp")]
    repetitions = arguments.repetitions or (QUICK_REPETITIONS if arguments.quick else REPETITIONS)
    begun = time.time()
    results = []
    with tempfile.TemporaryDirectory() as logs, contextlib.closing(Crew(logs, arguments.cpu)) as crew:
        for workload in WORKLOADS:
            if not arguments.only or workload.name in arguments.only:
                _say(f"{workload.name}: {workload.title}")
                results.append(compare(workload, names, repetitions, crew, arguments.rows))
                print(report.workload_table(results[-1]), flush=True)
    measured = {
        "date": time.strftime("%Y-%m-%d", time.gmtime(begun)),
        "command": _command(arguments),
        "machine": machine.describe(),
        "repetitions": repetitions,
        "tolerances": {"loss": LOSS_TOLERANCE, "probability": PROBABILITY_TOLERANCE},
        "workloads": results,
    }
    if arguments.out:
        native = arguments.cpu == "native"
        measured["roofline"] = _measure("bench.roofline") if native else None
        measured["density"] = _measure("bench.density") if native else None
        measured["minutes"] = round((time.time() - begun) / 60, 1)
        measured = _beside(measured, arguments.cpu, arguments.out / "benchmarks.json")
        write_text(arguments.out / "benchmarks.json", _json(measured))
        report.write(measured, arguments.out)


def _beside(measured, cpu, path):
    """What the file is to have: what was measured as this CPU, and under "cpus" as others by this machine.

    Workloads that an earlier run measured on the same machine, and this one did not, stay, with its command and date.
    """
    known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    cpus = known.get("cpus", {})
    if cpu != "native":
        return {**known, "cpus": {**cpus, cpu: _with_left_out(measured, cpus.get(cpu, {}))}}
    cpus = {name: other for name, other in cpus.items() if other["machine"] == measured["machine"]}
    return {**_with_left_out(measured, known), "cpus": cpus}


def _with_left_out(measured, known):
    """What was measured, and what was known of this machine's other workloads."""
    if known.get("machine") != measured["machine"]:
        return measured
    about = {key: known[key] for key in ("command", "date")}
    results = {result["workload"]["name"]: about | result for result in known["workloads"]}
    results |= {result["workload"]["name"]: result for result in measured["workloads"]}
    ordered = [results[workload.name] for workload in WORKLOADS if workload.name in results]
    return {**measured, "workloads": ordered}


if __name__ == "__main__":
    main()
