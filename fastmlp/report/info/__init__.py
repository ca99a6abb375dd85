"""What a network, a run or data are, for people and for programs."""
