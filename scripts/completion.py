#!/usr/bin/env python3
"""Write what a shell needs to complete commands: see `--help`."""

from fastmlp.__main__ import command

if __name__ == "__main__":
    command("completion")
