"""The functions that a filter may call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from broker.filters.columns import separation_deg
from broker.filters.values import ARRAY, NUMBER, TEXT, Unfit, Value, built, checked, double, same_kind

_OF_ONE_NUMBER = ["sqrt", "ln", "log10", "exp", "sin", "cos", "tan", "asin", "acos", "atan", "radians", "degrees"]


def call(name: str, arguments: Sequence[Value]) -> Value:
    """The value of a function; Unfit where there is none of that name for these arguments."""
    if name not in _FUNCTIONS:
        raise Unfit(f"no function {name!r}; a filter may use {', '.join(sorted(_FUNCTIONS))}")
    kind, least, most, write = _FUNCTIONS[name]
    if not least <= len(arguments) <= most:
        wanted = f"{least}" if most == least else f"{least} or more"
        raise Unfit(f"{name} takes {wanted} of {kind}, found {len(arguments)}")
    for argument in arguments:
        if argument.kind != kind:
            raise Unfit(f"{name} takes {kind}, found {argument.kind}")
    return write(name, *arguments)


def _floating(name: str, *arguments: Value) -> Value:
    numbers = [double(argument) for argument in arguments]
    return built(NUMBER, f"{name}({', '.join(['{}'] * len(numbers))})", *numbers, nan=True)


def _power(name: str, base: Value, exponent: Value) -> Value:
    """NaN to the power of 0 is 1: what is missing has to be null, unless the exponent is another number."""
    return _floating(name, base if exponent.literal else checked(double(base)), exponent)


def _chosen(name: str, *arguments: Value) -> Value:
    """The greatest or least of numbers; those that are missing do not count."""
    numbers = same_kind(arguments)
    result = built(NUMBER, f"{name}({', '.join(['{}'] * len(numbers))})", *numbers, whole=numbers[0].is_whole)
    return replace(result, is_wide=any(number.is_wide for number in numbers))


def _absolute(name: str, number: Value) -> Value:
    if not number.is_whole:
        return built(NUMBER, "abs({})", number, nan=True)
    # In 64 bits the least whole number has no absolute value: Spark's abs raises there.
    result = built(NUMBER, "try_cast(abs(CAST({} AS DECIMAL(20, 0))) AS BIGINT)", number, levels=3, whole=True)
    return replace(result, is_wide=number.is_wide)


def _rounded(name: str, number: Value) -> Value:
    """A whole number, null where 64 bits do not hold it. Spark makes 0 of NaN, and cuts what is larger."""
    if number.is_whole:
        return number
    template = f"try_add({name}({{}}), try_multiply(0L, try_cast({{}} AS BIGINT)))"
    return built(NUMBER, template, number, number, levels=3, whole=True)


def _letters(name: str, text: Value) -> Value:
    return built(TEXT, f"{name}({{}})", text)


def _size(name: str, array: Value) -> Value:
    return built(NUMBER, "CAST(size({}) AS BIGINT)", array, levels=2, whole=True)


def _separation(name: str, ra_deg: Value, dec_deg: Value) -> Value:
    return separation_deg(ra_deg, dec_deg)


_Function = tuple[str, int, int, Callable[..., Value]]
_FUNCTIONS: dict[str, _Function] = {
    **dict.fromkeys(_OF_ONE_NUMBER, (NUMBER, 1, 1, _floating)),
    **dict.fromkeys(("greatest", "least"), (NUMBER, 2, 1_000, _chosen)),
    **dict.fromkeys(("floor", "ceil"), (NUMBER, 1, 1, _rounded)),
    **dict.fromkeys(("lower", "upper"), (TEXT, 1, 1, _letters)),
    "atan2": (NUMBER, 2, 2, _floating),
    "pow": (NUMBER, 2, 2, _power),
    "abs": (NUMBER, 1, 1, _absolute),
    "size": (ARRAY, 1, 1, _size),
    "separation_deg": (NUMBER, 2, 2, _separation),
}
"""Name → kind of its arguments, how many it takes at least and at most, what writes it."""
