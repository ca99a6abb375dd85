#!/usr/bin/env python3
"""Predict a class or a number for each row of a file without labels: see `--help`."""

from fastmlp.__main__ import command

if __name__ == "__main__":
    command("predict")
