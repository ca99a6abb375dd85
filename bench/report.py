"""The measurements as a page, tables and a chart.

python -m bench.report docs      writes the page, the chart and the README's table again, from docs/benchmarks.json
"""

import argparse
import io
import json
import math
from pathlib import Path
from statistics import median

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from fastmlp.utils.atomic_files import write_bytes, write_text

from .cpus import CPUS, TITLES

OURS = "fastmlp"
# Okabe and Ito's blue for us, grey for the others: distinguishable by lightness too.
OUR_COLOUR, THEIR_COLOUR = "#0072B2", "#B0B0B0"
COLUMNS = 3
# Columns of the tables, and what they and the chart call the peers.
SHORT = {
    "fastmlp": "fastmlp",
    "jax": "JAX",
    "torch-compiled": "torch.compile",
    "torch": "PyTorch",
    "keras-jax": "Keras, JAX",
    "keras-tensorflow": "Keras, TensorFlow",
    "scikit-learn": "scikit-learn",
    "numpy": "numpy float32",
    "course": "numpy float64",
}
# The README's table is between these lines, and has these workloads where they were measured.
README_BEGIN, README_END = "<!-- written by bench.report -->", "<!-- end -->"
README_WORKLOADS = ("table", "numbers", "small", "adam200", "batch500", "batch100", "batch20", "batch1")
README_PEERS = ("fastmlp", "scikit-learn", "keras-jax", "keras-tensorflow", "torch", "torch-compiled", "jax", "course")


def best(result):
    """The entry of each peer at its better number of threads, by peer, fastest first."""
    by_peer = {}
    for entry in result.get("entries", ()):
        known = by_peer.get(entry["peer"])
        if entry["median_ms"] is not None and (known is None or entry["median_ms"] < known["median_ms"]):
            by_peer[entry["peer"]] = entry
    return dict(sorted(by_peer.items(), key=lambda item: item[1]["median_ms"]))


def table(rows):
    """Markdown, the first row its head."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], "|" + " --- |" * len(rows[0]), *lines[1:]])


def duration(milliseconds):
    """Three digits: 8,235 ms, 57.3 ms, 12.1 µs."""
    if milliseconds < 0.1:
        return f"{1e3 * milliseconds:.3g} µs"
    if milliseconds < 1:
        return f"{1e3 * milliseconds:.0f} µs"
    return f"{milliseconds:,.0f} ms" if milliseconds >= 100 else f"{milliseconds:.3g} ms"


def workload_table(result):
    """One workload: each competitor's median, threads, ratio, and how far its answer is off."""
    workload = result["workload"]
    if "skipped" in result:
        return f"\n{workload['title']}: not measured: {result['skipped']}\n"
    entries = best(result)
    ours = entries.get(OURS, {}).get("median_ms")
    rows = [("", "median", "times fastmlp's", "threads", "range of the turns' medians", "answer off by", "first run")]
    for entry in entries.values():
        turns = [median(turn) for turn in entry["turns"]]
        scaled = f" ({entry['timed_rows']:,} rows, scaled)" if entry["scale"] > 1 else ""
        rows.append(
            (
                entry["title"],
                duration(entry["median_ms"]) + scaled,
                f"{entry['median_ms'] / ours:.2f}" if ours else "",
                str(entry["threads"]),
                f"{duration(min(turns))} to {duration(max(turns))}",
                f"{entry['off']:.0e}",
                f"{entry['warm_up_seconds']:.2f} s",
            )
        )
    missing = "".join(f"\n\nAbsent: {name}: {reason}." for name, reason in result["absent"].items())
    return f"\n### {workload['title']}\n\n{_what(workload)}\n\n{table(rows)}{missing}\n"


def _what(workload):
    """A sentence: data, network, batch."""
    widths = "-".join(str(width) for width in (*workload["hidden"], workload["class_count"]))
    rows = "1 row" if workload["rows"] == 1 else f"{workload['rows']:,} rows"
    part = f"{rows} of {workload['dataset']} ({workload['density']:.0%} not zero)"
    network = f"hidden layers and outputs {widths}, {workload['activation']}"
    if workload["kind"] == "predict":
        return f"Probabilities of {part}, {network}."
    # Results of older versions lack what all workloads had in common.
    optimizer = {"sgd": "plain SGD", "adam": "Adam"}[workload.get("optimizer", "sgd")]
    rate = f" at the rate {workload['rate']:.3g}" if "rate" in workload else ""
    several = f" Each run was {epochs} epochs." if (epochs := workload.get("epochs", 1)) > 1 else ""
    return f"One epoch over {part}, {network}, batches of {workload['batch']}, {optimizer}{rate}.{several}"


def summary(results, peers=tuple(SHORT)):
    """A row for each workload: each peer's median, and how many times fastmlp's it is."""
    measured = [result for result in results if best(result)]
    present = [peer for peer in peers if any(peer in best(result) for result in measured)]
    rows = [("", *(SHORT[peer] for peer in present))]
    rows += [(result["workload"]["title"], *(_cell(result, peer) for peer in present)) for result in measured]
    return table(rows)


def nearest(measured):
    """A row for each workload: fastmlp, and the fastest of the others, as this CPU and as each other one."""
    columns = {"native": measured["workloads"], **{cpu: other["workloads"] for cpu, other in _cpus(measured).items()}}
    by_name = {cpu: {result["workload"]["name"]: result for result in results} for cpu, results in columns.items()}
    heads = [text for cpu in columns for text in (f"fastmlp, {TITLES[cpu]}", "nearest peer", "times as long")]
    rows = [("", *heads)]
    for result in measured["workloads"]:
        if best(result):
            name = result["workload"]["name"]
            cells = [cell for cpu in columns for cell in _nearest_cells(best(by_name[cpu].get(name, {})))]
            rows.append((result["workload"]["title"], *cells))
    return table(rows)


def _nearest_cells(entries):
    """fastmlp's time, the fastest other peer, and how many times as long that takes."""
    others = [entry for peer, entry in entries.items() if peer != OURS]
    ours, theirs = entries.get(OURS), others[0] if others else None
    return (
        duration(ours["median_ms"]) if ours else "-",
        f"{SHORT[theirs['peer']]}, {duration(theirs['median_ms'])}" if theirs else "-",
        f"**{theirs['median_ms'] / ours['median_ms']:.1f}**" if ours and theirs else "-",
    )


def _cpus(measured):
    """What was measured as other CPUs, by name."""
    return measured.get("cpus", {})


def _cell(result, peer):
    entries = best(result)
    if peer not in entries:
        return "-"
    text = duration(entries[peer]["median_ms"])
    if peer == OURS:
        return f"**{text}**"
    return f"{text} ({entries[peer]['median_ms'] / entries[OURS]['median_ms']:.1f})" if OURS in entries else text


def draw(results, path):
    """A panel of bars per workload."""
    measured = [result for result in results if best(result)]
    columns = min(COLUMNS, len(measured))
    rows = math.ceil(len(measured) / columns)
    figure = Figure(figsize=(4.6 * columns, 2.7 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(rows, columns, squeeze=False).flatten()
    for axes, result in zip(grid, measured, strict=False):
        _bars(axes, result)
    for axes in grid[len(measured) :]:
        axes.set_visible(False)
    image = io.BytesIO()
    figure.savefig(image, dpi=110, format=path.suffix.removeprefix("."))
    write_bytes(path, image.getbuffer())


def _bars(axes, result):
    entries = list(best(result).values())
    times = [entry["median_ms"] for entry in entries]
    names = [SHORT.get(entry["peer"], entry["peer"]) for entry in entries]
    colours = [OUR_COLOUR if entry["peer"] == OURS else THEIR_COLOUR for entry in entries]
    places = range(len(entries))
    axes.barh(places, times, color=colours)
    ours = best(result).get(OURS, {}).get("median_ms")
    for place, entry in enumerate(entries):
        ratio = f" ({entry['median_ms'] / ours:.1f}x)" if ours and entry["peer"] != OURS else ""
        axes.text(entry["median_ms"], place, f" {duration(entry['median_ms'])}{ratio}", va="center", fontsize=8)
    axes.set_yticks(places, names, fontsize=8)
    axes.invert_yaxis()
    axes.set_xlim(0, 1.4 * max(times))
    axes.set_xticks([])
    axes.set_title(result["workload"]["title"], fontsize=9, loc="left")
    axes.spines[["top", "right", "bottom"]].set_visible(False)


def page(measured):
    """The whole of benchmarks.md."""
    results = measured["workloads"]
    parts = [
        "# Benchmarks",
        f"This page is generated: `{measured['command'].strip()}` wrote it, on {measured['date']}. "
        "`python -m bench.report docs` only lays it out again, from [`benchmarks.json`](benchmarks.json), which holds "
        "every sample.",
        *(f"What this left out stands from `{command}`, on {date}." for command, date in _older(measured)),
        *([measured["remark"]] if "remark" in measured else []),
        "![Time of each competitor in each workload](images/benchmarks.png)",
        nearest(measured),
        "Times are those of an epoch. Medians at the better of one and all threads; how many times fastmlp's time that "
        "of the fastest other peer is. All peers, with how many times fastmlp's time theirs is:",
        summary(results),
        *(
            f"{TITLES[cpu][0].upper()}{TITLES[cpu][1:]} ({_as_cpu(cpu, other)}):\n\n{summary(other['workloads'])}"
            for cpu, other in _cpus(measured).items()
        ),
        _absent(results),
        _tanh_cost(results),
        "## The machine",
        machine_text(measured["machine"]),
        "## How it was measured",
        _method(measured),
        "## Each workload",
        *(workload_table(result).strip() for result in results),
    ]
    if measured.get("roofline"):
        parts += ["## Against the machine's limit", roofline(measured["roofline"])]
    if measured.get("density"):
        parts += ["## Where skipping zeros pays", density(measured["density"])]
    return "\n\n".join(part for part in parts if part) + "\n"


def _as_cpu(cpu, measured):
    """How the numbers of another CPU came about."""
    settings = ", ".join(f"`{name}`" for name in CPUS[cpu])
    commands = [(measured["command"], measured["date"]), *_older(measured)]
    measured_by = ", what this left out ".join(f"by `{command}` on {date}" for command, date in commands)
    return f"on the same machine by {settings}, measured {measured_by}"


def _older(measured):
    """(command, date) of the earlier runs from which some workloads are."""
    return [*dict.fromkeys((each["command"], each["date"]) for each in measured["workloads"] if "command" in each)]


def _absent(results):
    """Who and what is missing, and why."""
    reasons = {f"{r['workload']['title']}: {r['skipped']}." for r in results if "skipped" in r}
    for result in results:
        title = result["workload"]["title"]
        reasons |= {f"{peer} ({title}): {reason}." for peer, reason in result.get("absent", {}).items()}
    return "Absent:\n\n" + "\n".join(f"- {reason}" for reason in sorted(reasons)) if reasons else ""


def _tanh_cost(results):
    times = {result["workload"]["name"]: best(result).get(OURS, {}).get("median_ms") for result in results}
    if not times.get("tanh") or not times.get("batch500"):
        return ""
    return f"fastmlp's tanh network takes {times['tanh'] / times['batch500']:.2f} times as long as its relu network."


def machine_text(machine):
    """A sentence or two on what `bench.machine` describes."""
    caches = ", ".join(f"{level} {size}" for level, size in machine["caches"].items())
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items() if version)
    return (
        f"{machine['cpu']}, {machine['cores']} cores{f' ({caches})' if caches else ''}, {machine['memory_gb']} GB, "
        f"{machine['system']}. {versions}."
    )


def _method(measured):
    loss, probability = measured["tolerances"]["loss"], measured["tolerances"]["probability"]
    return f"""\
- Plain SGD, or Adam with the usual numbers, on the mean cross entropy or half the squared error, in float32 (the
  course's numpy: float64). All start from the same weights and visit the same rows in the same order. An epoch is
  forward, backward and update, without evaluation; short ones are run several at a time.
- Answers come first. After one run (at batch 1: 2,000 rows) the loss on the first 2,000 rows may differ from that of
  the float64 network by {loss:g} of what the epoch gained; a probability by {probability:g}. Who is further off is not
  timed.
- Every competitor has its data in the form that it likes best before the clock starts: fastmlp uint8 pixels, as
  compressed rows where most are zero, which is done once for a whole training; scikit-learn and Keras rows already in
  order; the others float32. Where a step takes all rows nobody gathers them.
- fastmlp does what `MLP.fit` does, its history and diagnoses included; scikit-learn `partial_fit`; Keras `Model.fit`,
  compiled by XLA. PyTorch's Adam is the fused one.
- Every competitor, with one thread and with all, is a separate process. They take {measured["repetitions"]} turn(s),
  A B C A B C; the others are stopped meanwhile. A turn is an untimed run, if that takes less than a second, then runs
  for 0.3 s, one at least. The number given is the median of the turns' medians. A number of threads that is 1.3 times
  slower than the other one is dropped after the first turn.
- Whose epoch would take longer than 3 s is timed on as many rows as take about 1 s, and scaled; its row says so.
- JAX compiles a scan over the whole run and donates the parameters; `torch.compile` gets the whole step as one graph.
  The first run, in the last column, includes compiling, or loading what an earlier process compiled.
- A prediction takes a numpy array and returns one: fastmlp's `MLP.predict_proba`, PyTorch in inference mode."""


def roofline(measured):
    """The table of `bench.roofline`."""
    rows = [("kernel", "shape", "GFLOP/s", "of the peak", "")]
    for kernel in measured["kernels"]:
        share = f"{kernel['gflops'] / measured['peak_gflops']:.0%}"
        rows.append((kernel["kernel"], kernel["shape"], f"{kernel['gflops']:.1f}", share, kernel.get("note", "")))
    return (
        f"One core, float32: {measured['peak_gflops']:.1f} GFLOP/s of independent fused multiply-adds on registers "
        f"of {measured['lanes']} floats, at {measured['ghz']:.2f} GHz. Sparse kernels count the multiply-adds of the "
        f"zeros that they skip.\n\n{table(rows)}\n\n`python -m bench.roofline` prints this for your machine."
    )


def density(measured):
    """The table of `bench.density`."""
    rows = [("share not zero", *(f"{share:.1f}" for share in measured["densities"]))]
    for threads, lines in measured["milliseconds"].items():
        for form, times in lines.items():
            rows.append((f"{form}, {threads} thread(s), ms", *(f"{t:.1f}" for t in times)))
    found = ", ".join(
        f"{'never' if share is None else f'{share:.2f}'} with {threads} thread(s)"
        for threads, share in measured["break_even"].items()
    )
    return (
        f"An epoch over {measured['rows']:,} rows of {measured['features']} random pixels, hidden layers "
        f"{'-'.join(map(str, measured['hidden']))}, batches of {measured['batch']}, first layer dense or sparse. "
        f"Break-even: {found}; `fastmlp/training/first_layer.py` changes over at {measured['planned']}."
        f"\n\n{table(rows)}\n\n"
        "`python -m bench.density` prints this for your machine."
    )


def readme(text, measured):
    """The text of the README with the table of what was measured between its two lines."""
    results = {result["workload"]["name"]: result for result in measured["workloads"]}
    shown = [results[name] for name in README_WORKLOADS if name in results]
    head, _, rest = text.partition(README_BEGIN)
    _, _, tail = rest.partition(README_END)
    return f"{head}{README_BEGIN}\n\n{summary(shown, README_PEERS)}\n\n{README_END}{tail}"


def write(measured, folder):
    """The page and the chart; and the table of a README with its two lines beside the folder."""
    if any(best(result) for result in measured["workloads"]):
        draw(measured["workloads"], folder / "images" / "benchmarks.png")
    write_text(folder / "benchmarks.md", page(measured))
    first = folder.absolute().parent / "README.md"
    if first.is_file() and README_BEGIN in (text := first.read_text(encoding="utf-8")):
        write_text(first, readme(text, measured))


def main():
    parser = argparse.ArgumentParser(prog="python -m bench.report", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=Path("docs"), help="of benchmarks.json (default: docs)")
    folder = parser.parse_args().folder
    write(json.loads((folder / "benchmarks.json").read_text(encoding="utf-8")), folder)


if __name__ == "__main__":
    main()
