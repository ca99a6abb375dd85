#!/usr/bin/env python3
"""Print a shell's completion script: see `--help`."""

from fastmlp.__main__ import command

if __name__ == "__main__":
    command("completion")
