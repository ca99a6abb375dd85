"""One training: its state, its callbacks, the loop that runs them, and the data that it is prepared from."""
