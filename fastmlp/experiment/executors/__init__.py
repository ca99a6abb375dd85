"""Who trains the cells of a sweep: the threads of this machine, or the workers of a cluster."""
