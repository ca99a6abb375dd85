#!/usr/bin/env python3
"""Write the course's mnist_traindata.hdf5 and mnist_testdata.hdf5: see `--help`."""

import sys

from fastmlp.cli import main

if __name__ == "__main__":
    sys.exit(main(["prepare", *sys.argv[1:]]))
