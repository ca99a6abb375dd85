#!/usr/bin/env python3
"""Train a grid of networks and compare them on validation data: see `--help`."""

from fastmlp.__main__ import command

if __name__ == "__main__":
    command("sweep")
