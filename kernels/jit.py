"""The ways in which this package compiles."""

import inspect
import itertools
import secrets

import llvmlite.binding as llvm
import numba
from numba.core import cgutils, types
from numba.core.bytecode import FunctionIdentity
from numba.core.registry import cpu_target
from numba.extending import intrinsic

from .cache import KernelCache, unit_makers, unit_symbols
from .compilers import EntryCompiler, PartCompiler, PartDispatcher, need_unit

# Numba numbers the functions that a process compiles and makes the number a part of their symbols. Code that two
# processes have compiled and a third one loads together must not share a symbol, or the linker would take the one
# function for the other: so the numbers start anywhere.
FunctionIdentity._unique_ids = itertools.count(secrets.randbits(48))

# error_model="numpy": a division by zero gives inf or nan and no exception, so that nogil code never has to unwind.
# No fastmath: its reassociation would make results depend on the number of lanes, and it deletes tests for nan.
# No wrappers for callers in C, which there are none of: a twentieth of the time of compiling.
# forceinline is said where it is False too: else Numba takes it over from a caller.
# No reference counts, by _nrt: a kernel neither makes nor keeps arrays, and counting takes two atomic operations for
# each array that is passed to a function, on numbers that all threads share.
OPTIONS = {
    "nogil": True, "boundscheck": False, "error_model": "numpy", "fastmath": False, "no_cfunc_wrapper": True,
    "forceinline": False, "_nrt": False,
}  # fmt: skip


def jit(function):
    """Compile a function that other compiled ones call."""
    return _part(function, OPTIONS)


def inlined(function):
    """The same for a layer between an entry point and the kernels: LLVM puts it into its caller, whatever its size."""
    return _part(function, {**OPTIONS, "forceinline": True})


def counting(function):
    """The same for a function that makes or returns arrays, whose references have to be counted."""
    return _part(function, {**OPTIONS, "_nrt": True})


def _part(function, options):
    return PartDispatcher(function, targetoptions={**options, "nopython": True}, pipeline_class=PartCompiler)


def entry(name, function, counts=False):
    """Compile a function that Python calls; its code is kept on disk under `name`, which no other may have.

    counts: whether it makes or returns arrays
    """
    options = {**OPTIONS, "_nrt": counts}
    dispatcher = numba.njit(pipeline_class=EntryCompiler, **options)(function)
    dispatcher._cache = KernelCache(name, options)
    return dispatcher


def unit(function):
    """Compile a function that many entries call to machine code of its own, which they share.

    It returns nothing and raises nothing. It is called through a symbol that tells the types of its arguments, and kept
    on disk like an entry.
    """
    name, options = function.__name__, {**OPTIONS, "no_cpython_wrapper": True}
    dispatcher = numba.njit(pipeline_class=EntryCompiler, **options)(function)
    dispatcher._cache = kept = KernelCache(name, options)

    def make(arguments):
        if arguments not in dispatcher.overloads:
            dispatcher.compile(arguments)
            made = dispatcher.overloads[arguments]
            address = made.library.get_pointer_to_function(made.fndesc.llvm_func_name)
            llvm.add_symbol(kept.key(arguments, cpu_target.target_context), address)

    def call(typing, *arguments):
        def codegen(context, builder, signature, values):
            symbol = kept.key(signature.args, context)
            unit_symbols[symbol] = name, signature.args
            need_unit(symbol, lambda: make(signature.args))
            kind = context.call_conv.get_function_type(types.none, signature.args)
            called = cgutils.get_or_insert_function(builder.module, kind, symbol)
            context.call_conv.call_function(builder, called, types.none, signature.args, values)
            return context.get_dummy_value()

        return types.none(*map(types.unliteral, arguments)), codegen

    named = inspect.signature(function).parameters.values()
    call.__signature__ = inspect.Signature([inspect.Parameter("typing", inspect.Parameter.POSITIONAL_ONLY), *named])
    unit_makers[name] = make
    return intrinsic(call)
