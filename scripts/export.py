#!/usr/bin/env python3
"""Write a trained network in a format of other programs: see `--help`."""

from fastmlp.cli.main import command

if __name__ == "__main__":
    command("export")
