"""How Numba compiles this package: entries get machine code, all other functions are parts that entries consist of.

Numba by itself gives each jitted function machine code and a wrapper for Python, and at each level of calls optimises
everything below once more. A part is only typed and lowered. An entry links the parts below it, each once, optimises
them together and emits machine code: a part's is in the entries that call it. What is large and called by many entries
is a unit, with machine code of its own.

This rests on the inside of Numba. Where that is not as expected, all is compiled by Numba as it is: `parts_work`.
"""

import contextlib
import functools
import gc
import warnings

import llvmlite.binding as llvm
import numba
from numba.core import compiler
from numba.core.codegen import JITCodeLibrary
from numba.core.registry import CPUDispatcher


class _PartLibrary(JITCodeLibrary):
    """The LLVM IR of a part, which is not turned into machine code."""

    def finalize(self):
        self._finalized = True

    def own_module(self):
        """The part alone, for linking."""
        return super()._get_module_for_linking()

    @functools.cached_property
    def _whole_module(self):
        module = self.own_module().clone()
        _link_below(self, module)
        return module

    def _get_module_for_linking(self):
        """The part and all below it: for a caller that is not of this package, and knows of no parts."""
        return self._whole_module


class _EntryLibrary(JITCodeLibrary):
    """An entry, which all parts below it are linked into."""

    def finalize(self):
        _link_below(self, self._final_module)
        self._linking_libraries = []
        for one in self._final_module.functions:
            if one.is_declaration and one.name.startswith("_ZN"):  # as Numba names what it compiles
                raise RuntimeError(f"{one.name} is called by {self.name} and was not linked")
        make_units()
        super().finalize()

    def serialize_using_object_code(self):
        """The machine code, and of the IR nothing but the names of what is defined: no other library links it."""
        names = [each.name for each in self.get_defined_functions() if each.linkage == llvm.Linkage.external]
        stubs = "\n".join(f'define void @"{name}"() {{ ret void }}' for name in names)
        return self.name, "object", (self._get_compiled_object(), llvm.parse_assembly(stubs).as_bitcode())


# Of the units that are called, and that have no machine code yet: what makes it, by the symbol. An entry calls the same
# one in several places; while the first call's is compiled, a second would be compiled beside it.
_missing_units = {}
_open_entries = 0  # that are being compiled
units_first = False  # whether units are made as soon as a call of theirs is compiled


def need_unit(symbol, make):
    """Have the machine code of a unit made by a call of `make`: before the open entry gets its own, or at once."""
    _missing_units[symbol] = make
    if units_first or not (_open_entries and parts_work()):
        make_units()


def make_units():
    """Make what is missing of the units: machine code that calls them is linked to it."""
    while _missing_units:
        _missing_units.popitem()[1]()


def _link_below(library, module):
    """Link all that a library calls into a module, each once.

    What calls goes before what is called: LLVM leaves out what nothing in the module calls yet, such as what a caller
    names where it never comes.
    """
    below = []

    def visit(one):
        seen.add(one)
        for called in one._linking_libraries if one is library or isinstance(one, _PartLibrary) else ():
            if called not in seen:
                visit(called)
        below.append(one)

    seen = set()
    visit(library)
    for one in reversed(below[:-1]):
        if hasattr(library, "_reload_init"):  # not in numba 0.61
            library._reload_init.update(one._reload_init)
        is_part = isinstance(one, _PartLibrary)
        module.link_in(one.own_module() if is_part else one._get_module_for_linking(), preserve=True)


# Passes of Numba that take time and find nothing: a part has no closures, no array expressions, and calls nothing that
# Numba would put in its place.
_NEEDLESS_PASSES = ("InlineClosureLikes", "NopythonRewrites", "InlineOverloads")


class PartCompiler(compiler.Compiler):
    """Compiles a part, as far as it is."""

    def define_pipelines(self):
        pipelines = super().define_pipelines()
        if parts_work():
            for pipeline in pipelines:
                pipeline.passes = [one for one in pipeline.passes if one[0].__name__ not in _NEEDLESS_PASSES]
        return pipelines

    def compile_extra(self, func):
        if not parts_work():
            return super().compile_extra(func)
        state = self.state
        state.flags.no_compile = state.flags.no_cpython_wrapper = state.flags.no_cfunc_wrapper = True
        state.library = _PartLibrary(state.targetctx.codegen(), func.__qualname__)
        result = super().compile_extra(func)
        returned = state.targetctx.data_model_manager[result.signature.return_type]
        if returned.contains_nrt_meminfo() and not state.flags.nrt:
            # A caller that counts would release what was never taken.
            raise TypeError(f"{func.__qualname__} returns an array; compile it by jit.counting")
        result.library._ensure_finalized()
        # Numba finds the code of a function that is called by its entry point, of which there is none.
        result = result._replace(entry_point=_NoEntryPoint())
        state.targetctx.insert_user_function(result.entry_point, result.fndesc, [result.library])
        return result


class _NoEntryPoint:
    """What stands for the machine code of a part."""


class EntryCompiler(compiler.Compiler):
    """Compiles an entry, and first the parts below it."""

    def compile_extra(self, func):
        with _collector_paused(), _units_later():
            if not parts_work():
                return super().compile_extra(func)
            codegen = self.state.targetctx.codegen()
            self.state.library = _EntryLibrary(codegen, func.__qualname__)
            self.state.library.enable_object_caching()
            result = super().compile_extra(func)
            for environment in result._find_referenced_environments():
                codegen.set_env(environment.env_name, environment)
            return result


class PartDispatcher(CPUDispatcher):
    """A part. Called from Python, as by a test, it is compiled once more, in the way of Numba."""

    def add_overload(self, cres):
        if isinstance(cres.entry_point, _NoEntryPoint):
            self.overloads[tuple(cres.signature.args)] = cres
        else:
            super().add_overload(cres)

    @functools.cached_property
    def _called_from_python(self):
        return CPUDispatcher(self.py_func, targetoptions={**self.targetoptions, "_nrt": True})

    def _compile_for_args(self, *args, **kwargs):
        return self._called_from_python._compile_for_args(*args, **kwargs)


@contextlib.contextmanager
def _units_later():
    global _open_entries
    _open_entries += 1
    try:
        yield
    finally:
        _open_entries -= 1
        make_units()


@contextlib.contextmanager
def _collector_paused():
    """Without the garbage collector: it finds next to nothing while Numba compiles, and looks at all that is made."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


_works = None  # whether parts do, once it was tried


def parts_work():
    """Whether the inside of this version of Numba is as expected, by a trial: two parts and an entry of one line."""
    global _works
    if _works is None:
        _works = True
        problem = _problem_with_parts()
        _works = problem is None
        if problem:
            warnings.warn(
                f"the kernels compile slowly: {problem} with numba {numba.__version__}", RuntimeWarning, stacklevel=2
            )
    return _works


def _problem_with_parts():
    options = {"nopython": True, "nogil": True}
    below = PartDispatcher(lambda x: x + 1, targetoptions=dict(options), pipeline_class=PartCompiler)
    middle = PartDispatcher(lambda x: 2 * below(x), targetoptions=dict(options), pipeline_class=PartCompiler)
    entry = CPUDispatcher(lambda x: middle(x) + below(x), targetoptions=dict(options), pipeline_class=EntryCompiler)
    try:
        answer = entry(2)
    except Exception as error:  # of any kind, from the inside of another package
        return f"{type(error).__name__}: {error}"
    return None if answer == 9 else f"{answer} in place of 9"
