#!/usr/bin/env python3
"""Train a grid of networks and compare them on validation data: see `--help`."""

import sys

from fastmlp.cli import main

if __name__ == "__main__":
    sys.exit(main(["sweep", *sys.argv[1:]]))
