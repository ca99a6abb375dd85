#!/usr/bin/env python3
"""Run a recipe, from its data to its test accuracy: see `--help`."""

import sys

from fastmlp.cli import main

if __name__ == "__main__":
    sys.exit(main(["run", *sys.argv[1:]]))
