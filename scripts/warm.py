#!/usr/bin/env python3
"""Say what a model, a run or data are: see `--help`."""

from fastmlp.__main__ import command

if __name__ == "__main__":
    command("warm")
