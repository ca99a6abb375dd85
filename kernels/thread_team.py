"""A team of threads inside nogil code: how many there may be, how they start, their barrier, who owns what.

The threads are Python's own, started for one call and gone after it: nothing outlives a fork, nothing spins between
calls, and several teams may run at once. Kernels know their arguments by address, so no thread may still use them when
the call is over, whatever ended it: see `run`.
"""

import _thread
import ctypes
import os
import sys
import weakref

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from .cpu import HAS_PAUSE, instruction
from .jit import jit
from .quota import quota_cores
from .registers import INDEX, ZERO, array_pointer

# Polls before a waiting thread offers its core to others: some microseconds, longer than a balanced wait.
POLLS_BEFORE_YIELD = 100
# Polls before the calling thread stops waiting for the others to start, and lets Python handle signals.
POLLS_BEFORE_PYTHON = 20_000

# Seconds after which a thread is looked for that did not say that it has ended.
LOST_SECONDS = 0.05

# Places in a team's state, on cache lines of their own: arrivals at the barrier; threads that have entered, the sign to
# begin (the team's size, or CANCELLED), threads that have left; whether one of them failed to enter.
ARRIVED, ENTERED, GO, LEFT, FAILED = (np.int64(line * 8) for line in (0, 2, 3, 4, 5))
STATE_SIZE = 48
CANCELLED = -1

# For a team of one, which never waits.
NO_STATE = np.zeros(STATE_SIZE, np.int64)


def available_cores(process="/proc/self", groups="/sys/fs/cgroup"):
    """Cores that this process may use, at least 1: $FASTMLP_THREADS, or the affinity and the control groups' quotas.

    Parameters
    ----------
    process, groups : str or Path
        Where Linux describes the process and its control groups: see `quota.py`. Other systems have neither.
    """
    wanted = os.environ.get("FASTMLP_THREADS", "")
    if wanted.isdecimal() and int(wanted) >= 1:
        return int(wanted)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, quota_cores(process, groups))


def run(function, threads, *arguments):
    """function(me, team, state, *arguments) on `threads` threads at once; me = 0 is the calling thread.

    The function begins with `enter` and ends with `leave`. So whatever is raised here, and wherever, as by Ctrl-C:
    before the calling thread is inside the function no other thread has touched an argument, and it comes out after
    all others have stopped using them. Its arguments may be freed as soon as `run` is left, by an exception or not.

    When the system grants fewer threads, or one of them ends early, the team is smaller: a result does not depend on
    its size.
    """
    if threads > 1:
        function(0, 0, NO_STATE, *arguments)  # compiled or loaded, once and not by each thread
        if _run_together(function, threads, arguments):
            return
    function(0, 1, NO_STATE, *arguments)


def _run_together(function, threads, arguments):
    """Whether the function ran on a team; if not, nothing has been computed."""
    state, given, others = new_state(), [arguments], []

    def work(me, _):
        try:
            function(me, 0, state, *given[0])
        except BaseException:  # before it has entered, for kernels raise nothing: as of memory for its arguments
            state[FAILED] = 1

    try:
        for me in range(1, threads):
            other = _Other()
            if not other.start(work, me):
                break
            others.append(other)
        while others and not state[FAILED] and all(other.is_alive() for other in others):
            if function(0, len(others) + 1, state, *arguments):
                return True
        return False
    finally:
        state[GO] = CANCELLED  # threads that still wait for the start leave
        given.clear()
        for other in others:
            other.join()


class _Token:
    """What a thread holds for as long as it lives."""


class _Other:
    """A thread that can be waited for, however it ends.

    Without `threading.Thread`: when that is interrupted in `start` it keeps listing a thread that never started, and it
    starts only after the new thread has answered.
    """

    def __init__(self):
        self._alive = _thread.allocate_lock()

    def start(self, work, me):
        """Begin work(me, token); whether the system granted a thread."""
        token = _Token()
        self._alive.acquire()
        self._end = weakref.ref(token, lambda _, alive=self._alive: alive.release())
        try:
            _thread.start_new_thread(work, (me, token))
        except RuntimeError:
            return False
        return True

    def is_alive(self):
        # An exception that is set in the thread when it ends takes the place of the lock's release.
        return self._alive.locked() and self._end() is not None

    def join(self):
        """Wait until the thread holds no reference any more."""
        while not self._alive.acquire(timeout=LOST_SECONDS) and self.is_alive():
            pass


def new_state():
    """(STATE_SIZE,) int64: where the threads of one call of `run` stand. The barrier counts arrivals in element 0."""
    return np.zeros(STATE_SIZE, np.int64)


@jit
def enter(state, me, team):
    """Wait for the whole team; returns its size, or 0 where the thread has to leave without having touched anything.

    Thread 0 has the size and signals the start once all others have entered; it returns 0 when they have not within
    some milliseconds.
    """
    if me > 0:
        _add_one(state, ENTERED)
        polls = ZERO
        while _read(state, GO) == 0:
            polls = _wait(polls)
        return max(_read(state, GO), ZERO)
    if team > 1:
        polls = ZERO
        while _read(state, ENTERED) < team - 1:
            polls = _wait(polls)
            if polls > POLLS_BEFORE_PYTHON or _read(state, FAILED) != 0:
                return ZERO
        _write(state, GO, team)
    return np.int64(team)


@jit
def leave(state, me, team):
    """Stop using all arguments; thread 0 waits until every thread has. Returns True."""
    if team > 1:
        _add_one(state, LEFT)
        if me == 0:
            polls = ZERO
            while _read(state, LEFT) < team:
                polls = _wait(polls)
    return True


@jit
def partition(count, me, team, grain):
    """The range [first, last) of `count` things that thread `me` owns; ranges start at multiples of `grain`."""
    grains = (count + grain - 1) // grain
    return min(count, grains * me // team * grain), min(count, grains * (me + 1) // team * grain)


@jit
def barrier_wait(state, team, phase):
    """Wait until all threads have arrived for the `phase`-th time, counted from 1; returns the next phase."""
    if team > 1:
        _add_one(state, ARRIVED)
        polls = ZERO
        while _read(state, ARRIVED) < phase * team:
            polls = _wait(polls)
    return phase + 1


@jit
def _wait(polls):
    """Wait for a moment, as after so many moments before; returns their number."""
    if polls % POLLS_BEFORE_YIELD == POLLS_BEFORE_YIELD - 1:
        _yield_core()
    else:
        _pause()
    return polls + 1


def _emit_place(context, builder, signature, arguments):
    """Pointer to the element of the state that the second argument names."""
    start = array_pointer(context, builder, signature.args[0], arguments[0])
    return builder.gep(start, [context.cast(builder, arguments[1], signature.args[1], types.int64)])


@intrinsic
def _add_one(typing, state, place):
    def codegen(context, builder, signature, arguments):
        builder.atomic_rmw("add", _emit_place(context, builder, signature, arguments), INDEX(1), "seq_cst")
        return context.get_dummy_value()

    return types.void(state, place), codegen


@intrinsic
def _read(typing, state, place):
    def codegen(context, builder, signature, arguments):
        return builder.load_atomic(_emit_place(context, builder, signature, arguments), "acquire", 8)

    return types.int64(state, place), codegen


@intrinsic
def _write(typing, state, place, value):
    def codegen(context, builder, signature, arguments):
        value = context.cast(builder, arguments[2], signature.args[2], types.int64)
        builder.store_atomic(value, _emit_place(context, builder, signature, arguments), "seq_cst", 8)
        return context.get_dummy_value()

    return types.void(state, place, value), codegen


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
