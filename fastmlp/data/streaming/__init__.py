"""Training data larger than memory, read from a file a window of rows at a time."""
