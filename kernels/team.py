"""A team of threads that run the same nogil function side by side."""

import os
import threading


def available_cores():
    """Cores this process may use: its affinity, which containers and batch systems set. At least 1."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
