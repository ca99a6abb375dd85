#!/usr/bin/env python3
"""Export a trained network: ONNX, PyTorch, scikit-learn, C, Python, JSON: see `--help`."""

from fastmlp.__main__ import command

if __name__ == "__main__":
    command("export")
