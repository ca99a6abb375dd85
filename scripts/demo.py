#!/usr/bin/env python3
"""Run the default recipe, from its data to its test accuracy: see `--help`."""

from fastmlp.__main__ import command

if __name__ == "__main__":
    command("demo")
