"""A team of threads inside nogil code: how many there may be, how they start, where they meet, who owns what.

The threads are Python's own, started for one call and gone after it: nothing outlives a fork, nothing spins between
calls, and several teams may run at once.
"""

import ctypes
import os
import sys
import threading

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from .cpu import HAS_PAUSE, instruction
from .jit import jit
from .quota import quota_cores
from .registers import INDEX, array_pointer

# Polls before a waiting thread offers its core to others: some microseconds, longer than a balanced wait.
POLLS_BEFORE_YIELD = 100
# The counter has a cache line to itself.
BARRIER_SIZE = 16


# For a team of one, which never waits.
NO_BARRIER = np.zeros(BARRIER_SIZE, np.int64)


def available_cores(process="/proc/self", groups="/sys/fs/cgroup"):
    """Cores that this process may use, at least 1: $FASTMLP_THREADS, or the affinity and the control groups' quotas.

    Parameters
    ----------
    process, groups : str or Path
        Where Linux tells of the process and of its control groups: see `quota.py`. Other systems have neither.
    """
    wanted = os.environ.get("FASTMLP_THREADS", "")
    if wanted.isdecimal() and int(wanted) >= 1:
        return int(wanted)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, quota_cores(process, groups)))


def run(function, threads, *arguments):
    """function(me, team, barrier, *arguments) on `threads` threads at once; me = 0 is the calling thread.

    When the system grants fewer threads the team is smaller: a kernel's result does not depend on its size.
    """
    if threads == 1:
        function(0, 1, NO_BARRIER, *arguments)
        return
    team, go, barrier, errors = 1, threading.Event(), new_barrier(), []

    def work(me):
        go.wait()
        try:
            function(me, team, barrier, *arguments)
        except BaseException as error:
            errors.append(error)

    others = []
    for me in range(1, threads):
        thread = threading.Thread(target=work, args=(me,), daemon=True)
        try:
            thread.start()
        except RuntimeError:  # no more threads to be had
            break
        others.append(thread)
    team = len(others) + 1
    go.set()
    function(0, team, barrier, *arguments)
    for thread in others:
        thread.join()
    if errors:
        raise errors[0]


def new_barrier():
    """The state of one team's barrier: element 0 counts arrivals. Every call of `run` starts with a fresh one."""
    return np.zeros(BARRIER_SIZE, np.int64)


@jit
def share(count, me, team, grain):
    """The range [first, last) of `count` things that thread `me` owns; ranges start at multiples of `grain`."""
    grains = (count + grain - 1) // grain
    return min(count, grains * me // team * grain), min(count, grains * (me + 1) // team * grain)


@jit
def meet(barrier, team, turn):
    """Wait until all threads have come to their `turn`-th meeting, counted from 1; returns the next turn."""
    if team > 1:
        _arrive(barrier)
        polls = 0
        while _arrived(barrier) < turn * team:
            polls += 1
            if polls % POLLS_BEFORE_YIELD == 0:
                _yield_core()
            else:
                _pause()
    return turn + 1


@intrinsic
def _arrive(typing, barrier):
    def codegen(context, builder, signature, arguments):
        at = array_pointer(context, builder, signature.args[0], arguments[0])
        builder.atomic_rmw("add", at, INDEX(1), "seq_cst")
        return context.get_dummy_value()

    return types.void(barrier), codegen


@intrinsic
def _arrived(typing, barrier):
    def codegen(context, builder, signature, arguments):
        at = array_pointer(context, builder, signature.args[0], arguments[0])
        return builder.load_atomic(at, "acquire", 8)

    return types.int64(barrier), codegen


_PAUSE = instruction("llvm.x86.sse2.pause") if HAS_PAUSE else None


@intrinsic
def _pause(typing):
    """Tell an x86 core that it spins; elsewhere nothing."""

    def codegen(context, builder, signature, arguments):
        if _PAUSE is not None:
            kind = ir.FunctionType(ir.VoidType(), [])
            builder.call(cgutils.get_or_insert_function(builder.module, kind, _PAUSE), [])
        return context.get_dummy_value()

    return types.void(), codegen


def _system_yield():
    """Address of the system's function that gives up the rest of a thread's time slice."""
    if sys.platform == "win32":
        function = ctypes.windll.kernel32.SwitchToThread
    else:
        function = ctypes.CDLL(None).sched_yield
    return ctypes.cast(function, ctypes.c_void_p).value


# By name, so that machine code from an earlier process finds it again.
llvm.add_symbol("fastmlp_yield", _system_yield())


@intrinsic
def _yield_core(typing):
    def codegen(context, builder, signature, arguments):
        kind = ir.FunctionType(ir.IntType(32), [])
        builder.call(cgutils.get_or_insert_function(builder.module, kind, "fastmlp_yield"), [])
        return context.get_dummy_value()

    return types.void(), codegen
