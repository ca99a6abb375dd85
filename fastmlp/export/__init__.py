"""Files that a trained network is written to."""
