#!/usr/bin/env python3
"""Measure a run's retrained network on the test data, once: see `--help`."""

from fastmlp.__main__ import command

if __name__ == "__main__":
    command("evaluate")
