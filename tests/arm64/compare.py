"""Whether an ARM processor computes the bits that this one does: digests of `tests/kernels/small_trainings.py`.

python tests/arm64/compare.py LAUNCHER [NAME ...]

LAUNCHER  an ARM Python, such as tests/arm64/python.sh prints
NAME      trainings of the list (default: all)
Exit status 0 when all digests agree, 1 when one differs or is missing.
"""

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[1] / "kernels" / "small_trainings.py"


def start(python, names):
    """A process that prints a line for each of these trainings."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        [python, SCRIPT, *names], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )


def compare(launcher, names):
    """Print both digests of every training as it is done; returns how many are not the same."""
    here, there = start(sys.executable, names), start(launcher, names)
    lines, told = here.communicate()
    expected = {line[18:]: line[:16] for line in lines.splitlines()}
    if here.returncode or not expected:
        sys.exit(f"this machine's own digests failed:\n{told}")
    same = 0
    for line in there.stdout:
        digest, name = line[:16], line[18:].rstrip("\n")
        verdict = "same" if digest == expected[name] else f"DIFFERS: {expected[name]} here"
        same += digest == expected[name]
        print(f"{digest}  {verdict}  {name}", flush=True)
    told = there.stderr.read()
    if there.wait():
        print(f"the ARM process ended with status {there.returncode}:\n{told}", file=sys.stderr)
    print(f"{same} of {len(expected)} digests are the same on ARM")
    return len(expected) - same


if __name__ == "__main__":
    sys.exit(1 if compare(sys.argv[1], sys.argv[2:]) else 0)
