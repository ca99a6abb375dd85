#!/usr/bin/env python3
"""Write the report of a run, one page that opens offline: see `--help`."""

import sys

from fastmlp.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["report", *sys.argv[1:]]))
