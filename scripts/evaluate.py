#!/usr/bin/env python3
"""Measure a run's retrained network on the test data, once: see `--help`."""

import sys

from fastmlp.cli import main

if __name__ == "__main__":
    sys.exit(main(["evaluate", *sys.argv[1:]]))
