"""Teams of threads: any size gives the same bits, and after an exception no thread still uses its arguments."""

import _thread
import ctypes
import multiprocessing
import signal
import sys
import threading
import time

import numpy as np
import pytest
from small_trainings import ADAM_RULE, DROPPED, images, numbers, predict, train

from fastmlp import MLP
from fastmlp.kernels import epoch, thread_team
from fastmlp.kernels.compress import compress
from fastmlp.kernels.update_rule import MOMENTUM, Rule
from fastmlp.training.parameters import Parameters

ROWS, FEATURES, CLASSES = 2000, 64, 3
INTERRUPTS = 2000


class Interrupt(BaseException):
    """Raised in the place of KeyboardInterrupt, so that it differs from a Ctrl-C during a test."""


@pytest.fixture
def worth_sharing(shared_steps):
    """Even a small call gets all the threads that it asks for."""
    with shared_steps():
        yield


@pytest.fixture(scope="module")
def samples():
    random = np.random.RandomState(0)
    X = random.standard_normal((ROWS, FEATURES)).astype(np.float32)
    return X, random.randint(0, CLASSES, ROWS)


def fresh():
    parameters = Parameters((FEATURES, 20, CLASSES), ("relu",), "float32")
    parameters.initialise("auto", None, "zero", 1)
    return parameters


def trained(samples, threads=2):
    p, (X, y) = fresh(), samples
    epoch.train(p.layers, p.buffer, p.states, X, y, np.arange(ROWS), 500, 0.1, np.zeros(2), threads)
    return p.buffer.tobytes()


def predicted(samples, threads=2):
    p = fresh()
    out = np.empty((ROWS, CLASSES), np.float32)
    return epoch.predict(p.layers, p.buffer, samples[0] + np.float32(0), out, threads).tobytes()


def interrupt_at(instruction, call, *arguments):
    """Run a call, and raise at the n-th bytecode instruction of thread_team.py in this thread; whether it came."""
    executed = 0

    def trace(frame, event, _):
        nonlocal executed
        if frame.f_code.co_filename != thread_team.__file__:
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            executed += 1
            if executed == instruction:
                raise Interrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call(*arguments)
    except Interrupt:
        return True
    finally:
        sys.settrace(before)
    return False


def team_threads():
    """Identifiers of the threads that are in a team's work now, beside the one that asks."""
    return {
        thread
        for thread, frame in sys._current_frames().items()
        if thread != threading.get_ident() and is_in(frame, thread_team.__file__)
    }


def is_in(frame, file):
    """Whether a function of a file is among those that a thread executes."""
    while frame is not None:
        if frame.f_code.co_filename == file:
            return True
        frame = frame.f_back
    return False


def threads_left(within=5.0):
    """The number of a team's threads that are still there after so many seconds at most."""
    until = time.monotonic() + within
    while team_threads() and time.monotonic() < until:
        time.sleep(0.001)
    return len(team_threads())


@pytest.mark.parametrize("call", [predicted, trained])
def test_an_interrupt_at_any_instruction_leaves_no_thread_and_the_next_call_computes_the_same(
    call, samples, worth_sharing
):
    expected = call(samples, 1)
    assert call(samples) == expected
    came = 0
    instruction = 0
    while came < INTERRUPTS // 2:
        instruction += 1
        if not interrupt_at(instruction, call, samples):
            assert instruction > 50  # fewer would mean that the calls were not traced
            instruction = 0
            continue
        came += 1
        if came % 20 == 0:
            assert threads_left() == 0
            assert call(samples) == expected
    assert threads_left() == 0


SIGNALS = """
import _thread, os, random, signal, sys, threading, time
import numpy as np
from fastmlp import MLP

random.seed(0)
signal.signal(signal.SIGALRM, signal.default_int_handler)
X = np.random.RandomState(0).standard_normal((20000, 64)).astype("f4")
y = np.arange(len(X)) % 3
first = MLP(hidden=(32,), epochs=1, batch_size=1000, threads=2)
expected = first.fit(X, y).predict_proba(X).tobytes()
came = 0
for number in range(int(sys.argv[1])):
    try:
        try:
            signal.setitimer(signal.ITIMER_REAL, random.uniform(1e-4, 8e-3))
            while True:
                first.predict(X + 0)
                first.evaluate(X + 0, y)
                MLP(hidden=(32,), epochs=1, batch_size=1000, threads=2).fit(X + 0, y)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    except KeyboardInterrupt:
        came += 1
time.sleep(0.2)
before = time.process_time()
time.sleep(0.5)
print(came, _thread._count(), time.process_time() - before < 0.25)
again = MLP(hidden=(32,), epochs=1, batch_size=1000, threads=2).fit(X, y).predict_proba(X).tobytes()
print(again == expected)
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no interval timers")
@pytest.mark.parametrize("count", [150, pytest.param(2000, marks=pytest.mark.slow)])
def test_a_process_survives_signals_while_it_predicts_evaluates_and_trains(count, run_python):
    done = run_python(SIGNALS, count)
    assert done.stdout.split() == [str(count), "0", "True", "True"]


def test_an_exception_that_is_set_in_another_thread_changes_no_result(samples, worth_sharing, monkeypatch):
    expected = predicted(samples, 1)
    stop = threading.Event()

    def disturb():
        while not stop.is_set():
            for thread in team_threads() - {threading.main_thread().ident}:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(OSError))
            time.sleep(0)

    monkeypatch.setattr(sys, "unraisablehook", lambda _: None)
    disturber = threading.Thread(target=disturb)
    disturber.start()
    try:
        results = {predicted(samples, 3) for _ in range(100)}
    finally:
        stop.set()
        disturber.join()
    assert results == {expected}
    assert threads_left() == 0


def test_a_thread_that_finds_no_memory_leaves_its_work_to_the_caller():
    sizes = []

    def work(me, size, state):
        if me > 0:
            raise MemoryError
        sizes.append(size)
        return size == 1  # a team never comes together

    thread_team.run(work, 2)
    assert sizes[0] == 0
    assert sizes[-1] == 1


DISTURBED = """
import faulthandler, sys
from fastmlp.kernels import thread_team

faulthandler.dump_traceback_later(20, exit=True)  # rather than to wait for ever
sys.unraisablehook = lambda _: None

def disturb(*_):
    raise OSError

def work(me, size, state):
    if me > 0:
        sys.settrace(disturb)  # whatever this thread calls from here on ends like this
    return size == 1

thread_team.run(work, 2)
print("done")
"""


def test_a_thread_that_is_disturbed_when_it_ends_is_not_waited_for_for_ever(run_python):
    assert run_python(DISTURBED).stdout == "done\n"


def test_without_further_threads_the_caller_works_alone(samples, worth_sharing, monkeypatch):
    expected = predicted(samples, 1)

    def refuse(function, arguments):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(_thread, "start_new_thread", refuse)
    assert predicted(samples, 4) == expected


def test_an_error_of_the_caller_reaches_it():
    def fail(me, size, state):
        if size:
            raise OSError("out of luck")

    for threads in (1, 2, 3):
        with pytest.raises(OSError, match="out of luck"):
            thread_team.run(fail, threads)
    assert threads_left() == 0


DAEMON = """
import sys, threading, time
import numpy as np
from fastmlp import MLP
X = np.random.RandomState(0).standard_normal((20000, 64)).astype("f4")
y = np.arange(len(X)) % 3
mlp = MLP(hidden=(64,), epochs=1, batch_size=1000, threads=2).fit(X, y)
mlp.predict(X)  # compiled here: the thread below computes, and compiles nothing while the process ends

def work():
    while True:
        MLP(hidden=(64,), epochs=1, batch_size=1000, threads=2).fit(X, y)
        mlp.predict(X)

threading.Thread(target=work, daemon=True).start()
time.sleep(float(sys.argv[1]))
"""


@pytest.mark.parametrize("seconds", [0.01, 0.05, 0.1])
def test_a_process_ends_cleanly_while_a_daemon_thread_trains(seconds, run_python):
    assert run_python(DAEMON, seconds).stderr == ""


TEAMS = (1, 2, 3, 4, 7, 8, 16, 64)
LARGE_BATCH = 300  # rows for 64 threads, and steps worth sharing


@pytest.fixture
def team_sizes(monkeypatch):
    """The sizes of all teams that are started."""
    sizes, run = [], thread_team.run

    def run_and_record(function, threads, *arguments):
        sizes.append(threads)
        run(function, threads, *arguments)

    monkeypatch.setattr(thread_team, "run", run_and_record)
    return sizes


def as_bytes(arrays):
    return b"".join(array.tobytes() for array in arrays)


TRAININGS = {
    "dense": lambda threads: train(numbers("float32"), batch_size=LARGE_BATCH, threads=threads, passes=1),
    "sparse": lambda threads: train(
        compress(images()[0], "float32"), batch_size=LARGE_BATCH, threads=threads, passes=1
    ),
    "Adam with dropout": lambda threads: train(
        numbers("float32"),
        ADAM_RULE,
        batch_size=LARGE_BATCH,
        threads=threads,
        keep_prob=DROPPED,
        passes=1,
    ),
}


@pytest.mark.parametrize("name", TRAININGS)
def test_teams_of_any_size_end_with_the_same_bits(name, team_sizes):
    results, reached = set(), []
    for threads in TEAMS:
        team_sizes.clear()
        results.add(as_bytes(TRAININGS[name](threads)))
        reached.append(max(team_sizes))
    assert len(results) == 1
    assert tuple(reached) == TEAMS


@pytest.mark.parametrize("threads", [7, 64])
def test_small_batches_by_columns_end_with_the_same_bits(threads, team_sizes, monkeypatch):
    monkeypatch.setattr(epoch, "STEP_WORTH_SHARING", 0)
    pixels, size = compress(images()[0], "float32"), epoch.COLUMNS_BATCH
    alone, shared = (as_bytes(train(pixels, batch_size=size, threads=count, passes=1)) for count in (1, threads))
    assert alone == shared
    assert max(team_sizes) == min(threads, size // epoch.GRAIN)


@pytest.mark.parametrize("limit", ["clip_norm", "max_norm"])
@pytest.mark.parametrize("threads", [2, 7])
def test_small_sparse_batches_with_limited_norms_end_with_the_same_bits(threads, limit, team_sizes, monkeypatch):
    """A norm needs whole rows, or whole columns: here no thread may own columns of the first layer's weights."""
    monkeypatch.setattr(epoch, "STEP_WORTH_SHARING", 0)
    pixels, rule = compress(images()[0], "float32"), Rule(MOMENTUM, 0.5, **{limit: 0.1})
    alone, shared = (
        as_bytes(train(pixels, rule, batch_size=epoch.COLUMNS_BATCH, threads=count, passes=1)) for count in (1, threads)
    )
    assert alone == shared
    assert max(team_sizes) == threads


@pytest.mark.parametrize(
    ("rule", "expected"), [(Rule(), True), (Rule(MOMENTUM, 0.5), False), (Rule(clip_norm=0.1), False)]
)
def test_threads_own_columns_of_the_weights_with_plain_sgd_alone(rule, expected, monkeypatch):
    """The other steps take whole rows. Of limited norms one thread would read sums that another is still adding to."""
    monkeypatch.setattr(epoch, "STEP_WORTH_SHARING", 0)
    pixels, calls = compress(images()[0], "float32"), []
    monkeypatch.setattr(thread_team, "run", lambda *arguments: calls.append(arguments))
    train(pixels, rule, batch_size=epoch.COLUMNS_BATCH, threads=2, passes=1)
    _, size, _, _, by_columns, *_ = calls[0]
    assert (size, by_columns) == (2, expected)


def test_passes_without_training_give_the_same_bits_to_teams_of_any_size(team_sizes, network, monkeypatch):
    monkeypatch.setattr(epoch, "PASS_WORTH_SHARING", 1)
    X, p = np.tile(numbers("float32"), (7, 1)), network((144, 20, 5), ("tanh",))
    results = {
        epoch.predict(p.layers, p.buffer, X, np.empty((len(X), 5), "float32"), threads).tobytes() for threads in TEAMS
    }
    assert len(results) == 1
    assert tuple(team_sizes) == TEAMS


def test_64_threads_by_the_environment_train_the_same_network(team_sizes, monkeypatch):
    weights = []
    for threads in ("1", "64"):
        monkeypatch.setenv("FASTMLP_THREADS", threads)
        mlp = MLP(hidden=(80,), batch_size=LARGE_BATCH, epochs=2, seed=0).fit(numbers("float32"), images()[1])
        weights.append(as_bytes((*mlp.weights, *mlp.biases)))
    assert weights[0] == weights[1]
    assert max(team_sizes) == 64


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_process_started_in_any_way_computes_the_same(method):
    """Linux forks, macOS and Windows spawn; from Python 3.14 on Linux has a server that forks."""
    with multiprocessing.get_context(method).Pool(1) as pool:
        (there,) = pool.apply_async(predict, (numbers("float32"),)).get(120)
        trained = pool.apply_async(train, (numbers("float32"),), {"batch_size": LARGE_BATCH, "threads": 2}).get(120)
    assert there.tobytes() == predict(numbers("float32"))[0].tobytes()
    assert as_bytes(trained) == as_bytes(train(numbers("float32"), batch_size=LARGE_BATCH, threads=2))
