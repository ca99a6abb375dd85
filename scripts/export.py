#!/usr/bin/env python3
"""Write a trained network in a format of other programs: see `--help`."""

from fastmlp.__main__ import command

if __name__ == "__main__":
    command("export")
