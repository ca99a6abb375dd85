#!/usr/bin/env python3
"""Write the course's mnist_traindata.hdf5 and mnist_testdata.hdf5: see `--help`."""

from fastmlp.__main__ import command

if __name__ == "__main__":
    command("prepare")
