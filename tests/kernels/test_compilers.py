"""Functions that are compiled as parts of others alone."""

import gc

import numba
import numpy as np
import pytest
from numba.core.event import install_recorder

from fastmlp.kernels import compilers
from fastmlp.kernels.jit import counting, entry, inlined, jit, unit


@jit
def _bounded(x):
    if x > 1000:
        raise ValueError("too large")
    return x + 1


@inlined
def _doubled(x):
    return 2 * _bounded(x)


def _total(x):
    return _doubled(x) + _bounded(x)


@unit
def _halve(x):
    x[0] = _doubled(x[0]) / 4


def test_a_function_of_parts_gives_what_python_gives(monkeypatch, tmp_path):
    monkeypatch.setenv("FASTMLP_CACHE", str(tmp_path))
    total = entry("tests.total", _total)
    assert [total(2), total(2.5)] == [9, 10.5]
    with pytest.raises(ValueError, match="too large"):
        total(1001)


def test_a_part_can_be_called_from_python():
    assert [_doubled(2), _doubled(2.5), _doubled(3)] == [6, 7.0, 8]


def test_a_part_can_be_called_by_a_function_that_knows_of_no_parts():
    assert numba.njit(lambda x: _doubled(x) + _bounded(x))(2) == 9


@jit
def _unless_none(x, y):
    return x if y is None else _bounded(x)


@jit
def _anyway(x):
    return _bounded(x) if x > 0 else x


def test_a_part_that_one_caller_names_and_never_calls_is_linked_for_another(monkeypatch, tmp_path):
    monkeypatch.setenv("FASTMLP_CACHE", str(tmp_path))
    for name, function in (
        ("one", lambda x: _anyway(x) + _unless_none(x, None)),
        ("two", lambda x: _unless_none(x, None) + _anyway(x)),
    ):
        assert entry(f"tests.{name}", function)(2) == 5


def test_entries_share_the_machine_code_of_a_unit_and_find_it_in_the_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("FASTMLP_CACHE", str(tmp_path))

    def twice(x):
        _halve(x)
        _halve(x)

    for function, result in ((lambda x: _halve(x), 3.5), (twice, 2.25), (twice, 2.25)):
        x = np.full(1, 6.0)
        entry(f"tests.{result}", function)(x)
        assert x == result
    assert sorted(path.name.split("-")[0] for path in tmp_path.rglob("*.bin")) == ["_halve", "tests.2.25", "tests.3.5"]


def test_a_unit_that_is_called_in_several_places_is_compiled_once(monkeypatch, tmp_path):
    monkeypatch.setenv("FASTMLP_CACHE", str(tmp_path))

    @unit
    def _negate(x):
        x[0] = -_bounded(x[0])

    def thrice(x):
        _negate(x)
        _negate(x)
        _negate(x)

    x = np.full(1, 6.0)
    with install_recorder("numba:compile") as recorder:
        entry("tests.thrice", thrice)(x)
    assert x == -7
    compiled = [event.data["dispatcher"].py_func.__name__ for _, event in recorder.buffer if event.is_start]
    assert compiled.count("_negate") == 1


def test_a_unit_can_be_called_by_a_function_that_knows_of_no_parts(monkeypatch, tmp_path):
    monkeypatch.setenv("FASTMLP_CACHE", str(tmp_path))
    x = np.full(1, 6, np.float32)
    numba.njit(lambda x: _halve(x))(x)
    assert x == 3.5


def test_parts_have_no_machine_code_of_their_own(monkeypatch, tmp_path):
    monkeypatch.setenv("FASTMLP_CACHE", str(tmp_path))
    part = jit(lambda x: 3 * x)
    assert entry("tests.thrice", lambda x: part(x))(7) == 21
    (compiled,) = part.overloads.values()
    engine = compiled.target_context.codegen()._engine
    assert not engine.is_symbol_defined(compiled.fndesc.llvm_cpython_wrapper_name)


def test_a_kernel_counts_no_references_to_the_arrays_it_is_given(monkeypatch, tmp_path):
    monkeypatch.setenv("FASTMLP_CACHE", str(tmp_path))
    first = jit(lambda x: x[0])
    last = entry("tests.first", lambda x: first(x[1:]))
    assert last(np.arange(3.0)) == 1
    for compiled in first.overloads.values():
        assert "NRT_" not in str(compiled.library.own_module())


def test_a_function_that_makes_an_array_counts_references(monkeypatch, tmp_path):
    monkeypatch.setenv("FASTMLP_CACHE", str(tmp_path))
    longer = counting(lambda x: np.append(x, x[0]))
    np.testing.assert_array_equal(entry("tests.longer", lambda x: longer(x), counts=True)(np.arange(2.0)), [0, 1, 0])


def test_a_part_that_returns_an_array_has_to_count_references(monkeypatch, tmp_path):
    monkeypatch.setenv("FASTMLP_CACHE", str(tmp_path))
    part = jit(lambda x: x)
    with pytest.raises(Exception, match="returns an array; compile it by"):
        entry("tests.same", lambda x: part(x)[0])(np.ones(2))


def test_the_garbage_collector_runs_again_after_compiling_and_after_a_failure(monkeypatch, tmp_path):
    monkeypatch.setenv("FASTMLP_CACHE", str(tmp_path))
    during = []
    monkeypatch.setattr(compilers, "parts_work", lambda: during.append(gc.isenabled()) or True)
    assert entry("tests.one", lambda: 1)() == 1
    with pytest.raises(numba.TypingError):
        entry("tests.unknown", lambda: no_such_function())()  # noqa: F821
    assert during == [False, False]
    assert gc.isenabled()


WITHOUT_PARTS = """
from fastmlp.kernels import compilers

{change}

from fastmlp.kernels.jit import entry, jit

below = jit(lambda x: x + 1)
print(entry("tests.above", lambda x: below(x) * below(x))(3), below(4))
"""


@pytest.mark.parametrize(
    "change",
    [
        "del compilers._PartLibrary.own_module",
        "compilers._link_below = lambda library, module: 1 / 0",
    ],
)
def test_all_is_compiled_as_numba_does_where_its_inside_is_not_as_expected(run_python, tmp_path, change):
    done = run_python(WITHOUT_PARTS.format(change=change), FASTMLP_CACHE=str(tmp_path))
    assert done.stdout == "16 5\n"
    assert done.stderr.count("compile slowly") == 1
    assert run_python(WITHOUT_PARTS.format(change=change), FASTMLP_CACHE=str(tmp_path)).stderr == ""  # from the cache
