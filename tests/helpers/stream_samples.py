"""Samples for files that are read a window at a time."""

import numpy as np

ROWS, COLUMNS = 3000, 20
PIXELS = np.random.RandomState(0).randint(0, 256, (ROWS, COLUMNS)).astype(np.uint8)
LABELS = np.arange(ROWS) * 7 % 10
SMALL = {"window_bytes": 700 * COLUMNS, "block_bytes": 16 * COLUMNS}  # for pixels: windows of up to 700 rows
