#!/usr/bin/env python3
"""Write the report of a run, one page that opens offline: see `--help`."""

from fastmlp.__main__ import command

if __name__ == "__main__":
    command("report")
