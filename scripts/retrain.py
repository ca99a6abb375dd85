#!/usr/bin/env python3
"""Train a run's best network again, on all rows: see `--help`."""

from fastmlp.__main__ import command

if __name__ == "__main__":
    command("retrain")
