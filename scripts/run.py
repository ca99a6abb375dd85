#!/usr/bin/env python3
"""Run a recipe, from its data to its test accuracy: see `--help`."""

from fastmlp.__main__ import command

if __name__ == "__main__":
    command("run")
