#!/usr/bin/env python3
"""Train a run's best network again, on all rows: see `--help`."""

import sys

from fastmlp.cli import main

if __name__ == "__main__":
    sys.exit(main(["retrain", *sys.argv[1:]]))
