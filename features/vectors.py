"""Four numbers at once in compiled code: the processor's vector registers as a numba type.

By itself the compiler uses vectors only in simple loops, and not where a number must stay in a register from one loop
to the next. ``Vector`` makes them explicit: ``load``, ``store``, ``everywhere`` (one number four times), ``+ - * /``
with vectors and numbers, :func:`larger`, :func:`smaller`, :func:`if_negative`, :func:`total` and :func:`exponential`.
On a processor without registers for four numbers the compiler splits them; the results are the same. Only compiled
functions can use them.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import extending, njit, types
from numba.extending import models, overload, register_model
from numpy.typing import NDArray

WIDTH = 4
_LINE = 64  # bytes of a cache line: a vector across two of them costs twice

_FLOATS = ir.VectorType(ir.DoubleType(), WIDTH)
_INTEGERS = ir.VectorType(ir.IntType(64), WIDTH)


def aligned(size: int) -> NDArray[np.float64]:
    """An uninitialised array (size,) of float64, aligned so that vectors load fastest."""
    room = np.empty(size + _LINE // 8)
    first = -room.ctypes.data // 8 % (_LINE // 8)
    return room[first : first + size]


class VectorType(types.Type):
    """numba's type of a vector."""

    def __init__(self) -> None:
        super().__init__(name="Vector")


VECTOR = VectorType()


@register_model(VectorType)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _FLOATS)


def intrinsic(function: Callable[..., Any]) -> Any:
    """numba's decorator, typed so that the compiled function may take other arguments."""
    return extending.intrinsic(function)


def _address(context: Any, builder: Any, array_type: Any, array: Any, place: Any) -> Any:
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [place]), _FLOATS.as_pointer())


@intrinsic
def load(_: Any, array: Any, place: Any) -> Any:
    """The four numbers from ``place`` on of a contiguous array of float64; no bounds are checked."""

    def write(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        loaded = builder.load(_address(context, builder, signature.args[0], *given))
        loaded.align = 8
        return loaded

    return VECTOR(array, types.intp), write


@intrinsic
def store(_: Any, array: Any, place: Any, vector: Any) -> Any:
    """Write a vector to ``place`` and the three after it of a contiguous array of float64; no bounds are checked."""

    def write(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        stored = builder.store(given[2], _address(context, builder, signature.args[0], *given[:2]))
        stored.align = 8
        return context.get_dummy_value()

    return types.void(array, types.intp, VECTOR), write


@intrinsic
def everywhere(_: Any, number: Any) -> Any:
    """One number, four times."""

    def write(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        one = builder.insert_element(ir.Constant(_FLOATS, ir.Undefined), given[0], ir.Constant(ir.IntType(32), 0))
        mask = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH)
        return builder.shuffle_vector(one, ir.Constant(_FLOATS, ir.Undefined), mask)

    return VECTOR(types.float64), write


def _define(symbol: Any, instruction: str) -> None:
    @intrinsic
    def of_vectors(_: Any, a: Any, b: Any) -> Any:
        def write(context: Any, builder: Any, signature: Any, given: Any) -> Any:
            return getattr(builder, instruction)(*given)

        return VECTOR(VECTOR, VECTOR), write

    @overload(symbol)
    def of_any(a, b):  # type: ignore[no-untyped-def]  # numba compares signatures
        if a is VECTOR and b is VECTOR:
            return lambda a, b: of_vectors(a, b)
        if a is VECTOR and isinstance(b, types.Float):
            return lambda a, b: of_vectors(a, everywhere(b))
        if b is VECTOR and isinstance(a, types.Float):
            return lambda a, b: of_vectors(everywhere(a), b)
        return None


for _symbol, _instruction in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _define(_symbol, _instruction)


def _choice(sign: str) -> Any:
    @intrinsic
    def choose(_: Any, a: Any, b: Any) -> Any:
        def write(context: Any, builder: Any, signature: Any, given: Any) -> Any:
            return builder.select(builder.fcmp_ordered(sign, *given), given[1], given[0])

        return VECTOR(VECTOR, VECTOR), write

    return choose


larger = _choice("<")
"""The larger number of two vectors, element by element; that of the first vector if either is NaN."""

smaller = _choice(">")
"""The smaller number of two vectors, element by element; that of the first vector if either is NaN."""


@intrinsic
def if_negative(_: Any, sign: Any, a: Any, b: Any) -> Any:
    """``a`` where ``sign`` is below zero, otherwise ``b``, element by element."""

    def write(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        zero = ir.Constant(_FLOATS, [0.0] * WIDTH)
        return builder.select(builder.fcmp_ordered("<", given[0], zero), given[1], given[2])

    return VECTOR(VECTOR, VECTOR, VECTOR), write


@intrinsic
def total(_: Any, vector: Any) -> Any:
    """The sum of the four numbers of a vector."""

    def write(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        parts = [builder.extract_element(given[0], ir.Constant(ir.IntType(32), k)) for k in range(WIDTH)]
        return builder.fadd(builder.fadd(parts[0], parts[1]), builder.fadd(parts[2], parts[3]))

    return types.float64(VECTOR), write


@intrinsic
def _power_of_two(_: Any, shifted: Any) -> Any:
    """2ᵏ, where ``shifted`` = k + _SHIFT: k is in the last bits of the number, and is moved to its exponent."""

    def write(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        bits = builder.bitcast(given[0], _INTEGERS)
        biased = builder.add(bits, ir.Constant(_INTEGERS, [1023] * WIDTH))
        return builder.bitcast(builder.shl(biased, ir.Constant(_INTEGERS, [52] * WIDTH)), _FLOATS)

    return VECTOR(VECTOR), write


_SHIFT = 1.5 * 2.0**52  # a number so large that its last bit has the value one
_PER_LOG_2 = 1.0 / float(np.log(2.0))
_LOG_2_HIGH, _LOG_2_LOW = 0.693147180369123816490, 1.90821492927058770002e-10  # their sum is log 2 to 1e-26
_LOWEST = -708.0  # exp of less is not a normal number


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def exponential(vector: Any) -> Any:
    """exp of a vector, to 3e-16 relative, for numbers up to 700; those below -708 count as -708 (3e-308).

    exp(x) = 2ᵏ exp(r) with k the whole number nearest to x / log 2, and exp(r), |r| ≤ 0.35, from its Taylor series
    up to r¹³ (the next term is below 1e-17). Log 2 is subtracted in two parts, so that r is as exact as x (Cody &
    Waite 1980, Software Manual for the Elementary Functions).
    """
    bounded = larger(vector, everywhere(_LOWEST))
    shifted = bounded * _PER_LOG_2 + _SHIFT
    k = shifted - _SHIFT
    r = (bounded - k * _LOG_2_HIGH) - k * _LOG_2_LOW
    s = r * r
    t = s * s
    low = (1.0 + r) + s * (0.5 + r * (1.0 / 6.0))
    middle = (1.0 / 24.0 + r * (1.0 / 120.0)) + s * (1.0 / 720.0 + r * (1.0 / 5040.0))
    high = (1.0 / 40320.0 + r * (1.0 / 362880.0)) + s * (1.0 / 3628800.0 + r * (1.0 / 39916800.0))
    top = 1.0 / 479001600.0 + r * (1.0 / 6227020800.0)
    return (low + t * (middle + t * (high + t * top))) * _power_of_two(shifted)
