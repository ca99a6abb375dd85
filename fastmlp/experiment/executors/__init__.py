"""Who trains the cells of a sweep: the threads of this machine, or the workers of a cluster.

A new executor is a subclass of `base.Executor` in a separate module, and a line in `registry.EXECUTORS`.
"""
