"""The values that a filter is built of: each knows its kind and its Spark SQL, in which nothing raises.

Whole numbers are bigint and stay exact. Floating-point numbers are double; where one is compared or tested, NaN
becomes null, so that a missing number passes no comparison. The depth and the length of what is built are limited:
Spark reads it by recursion, and plans it anew for every batch.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

NUMBER, TEXT, FLAG, ARRAY = "a number", "text", "true or false", "an array"

MAX_DEPTH = 80
"""Levels of the SQL that is built. Spark's own limit is a stack of 1 MB: some 300 levels."""

MAX_BRANCHES = 4
"""Levels of conditionals (nanvl, coalesce) in each other: with each one Spark takes several times as long to plan."""

MAX_SQL_LENGTH = 12_000
"""Characters of the SQL that is built: Spark takes up to half a second to plan so much, and does so for every batch."""

EXACT_IN_DOUBLE = 2**53
"""Up to this every whole number is a floating-point number of 64 bits."""

_WHOLE_TEXT = re.compile(r"-?(?:0|[1-9][0-9]*)")


class Unfit(ValueError):
    """Values that do not go together, or are too large; the parser tells where."""


@dataclass(frozen=True)
class Value:
    """A part of a filter.

    ``depth`` counts levels of SQL, ``branches`` those of them that are conditionals. ``is_whole``: a bigint.
    ``is_wide``: a whole number that a double may not hold, as an id. ``may_be_nan``: a double that is NaN where
    something is missing. ``literal``: what was written, if it was a literal.
    """

    kind: str
    sql: str
    depth: int = 1
    branches: int = 0
    is_whole: bool = False
    is_wide: bool = False
    may_be_nan: bool = False
    literal: int | float | str | None = None


def built(kind: str, template: str, *parts: Value, levels: int = 1, whole: bool = False, nan: bool = False) -> Value:
    """A value of parts: ``template`` is SQL with a {} for each. Unfit where it becomes too deep or too long."""
    sql = template.format(*(part.sql for part in parts))
    return _limited(Value(kind, sql, is_whole=whole, may_be_nan=nan), parts, levels)


def joined(kind: str, sign: str, parts: Sequence[Value], levels: int = 1) -> Value:
    """Parts with a sign between them, in brackets. Spark reads a chain of AND or OR as a balanced tree."""
    return _limited(Value(kind, f"({f' {sign} '.join(part.sql for part in parts)})"), parts, levels)


def _limited(value: Value, parts: Sequence[Value], levels: int) -> Value:
    depth = levels + max((part.depth for part in parts), default=0)
    if depth > MAX_DEPTH:
        raise Unfit(
            f"the filter is too deep for Spark, {MAX_DEPTH} levels may be: use fewer terms in one sum or product, "
            "and fewer functions and brackets in each other"
        )
    branches = max((part.branches for part in parts), default=0)
    if len(value.sql) > MAX_SQL_LENGTH:
        raise Unfit(
            f"the filter is too large for Spark, {MAX_SQL_LENGTH:,} characters of SQL may be: "
            "use fewer terms, or make two filters of it"
        )
    return replace(value, depth=depth, branches=branches)


def whole(number: int) -> Value:
    """A whole number as written; Unfit where 64 bits do not hold it."""
    if not -(2**63) <= number < 2**63:
        raise Unfit(
            f"{str(number)[:40]} is too large a whole number: an id has 64 bits, up to {2**63 - 1}; "
            "a floating-point number is written with a point or an exponent, as 1e19"
        )
    return Value(NUMBER, f"{number}L", is_whole=True, is_wide=abs(number) > EXACT_IN_DOUBLE, literal=number)


def floating(written: str) -> Value:
    """A floating-point number as written; Unfit where it is too large."""
    number = float(written)
    if number in (float("inf"), float("-inf")):
        raise Unfit(f"{written[:40]} is too large a number")
    return Value(NUMBER, f"{number!r}D", literal=number)


def text(content: str) -> Value:
    """A text as written."""
    return Value(TEXT, quoted(content), literal=content)


def quoted(content: str) -> str:
    """Spark SQL's literal of a text."""
    return "'" + content.replace("\\", "\\\\").replace("'", "\\'") + "'"


def checked(value: Value) -> Value:
    """The value as it is compared and tested: NaN is null, since in Spark NaN is greater than any number."""
    if not value.may_be_nan:
        return value
    if value.branches == MAX_BRANCHES:
        raise Unfit(f"functions of missing numbers, as pow and greatest, may be {MAX_BRANCHES - 1} deep in each other")
    return replace(built(value.kind, "nanvl({}, NULL)", value), branches=value.branches + 1)


def double(value: Value) -> Value:
    """A number as floating-point; Unfit where it may have 64 bits, which a double rounds."""
    if not value.is_whole:
        return value
    if value.is_wide:
        raise Unfit(
            f"{_shown(value)} may have 64 bits, and a floating-point number would round it: an id is compared with "
            "whole numbers, without a point or an exponent, and may stand in + - * %, abs, greatest and least of them"
        )
    if isinstance(value.literal, int):
        return Value(NUMBER, f"{float(value.literal)!r}D")
    return built(NUMBER, "CAST({} AS DOUBLE)", value)


def _shown(value: Value) -> str:
    return str(value.literal) if value.literal is not None else value.sql.replace("`", "")


def same_kind(values: Sequence[Value]) -> list[Value]:
    """Values that are compared, brought to one type without loss.

    Text that is a whole number counts as one beside whole numbers: ids are text in JSON. Raises Unfit where the
    kinds differ, where one has no order, and where an id would be rounded.
    """
    numbers = [value for value in values if value.kind == NUMBER]
    if numbers and all(number.is_whole for number in numbers):
        values = [_whole_of_text(value) for value in values]
    first = values[0]
    for value in values:
        if value.kind == ARRAY:
            raise Unfit("an array has no order; take one element of it: name[0]")
        if value.kind != first.kind:
            raise Unfit(f"expected {first.kind}, found {value.kind}{_quote_it(first, value)}")
    if first.kind == NUMBER and not all(value.is_whole for value in values):
        return [checked(double(value)) for value in values]
    return [checked(value) for value in values]


def _whole_of_text(value: Value) -> Value:
    if isinstance(value.literal, str) and _WHOLE_TEXT.fullmatch(value.literal):
        return whole(int(value.literal)) if len(value.literal) < 40 else value
    return value


def _quote_it(first: Value, other: Value) -> str:
    if first.kind == TEXT and other.literal is not None:
        return f": put it in single quotes, '{other.literal}'"
    return ""


def arithmetic(sign: str, left: Value, right: Value) -> Value:
    """A sum, difference, product, quotient or remainder; null where it overflows or divides by zero."""
    function = {"+": "try_add", "-": "try_subtract", "*": "try_multiply", "/": "try_divide", "%": "try_mod"}[sign]
    if left.is_whole and right.is_whole and sign != "/":
        result = built(NUMBER, function + "({}, {})", left, right, whole=True)
        return replace(result, is_wide=right.is_wide if sign == "%" else left.is_wide or right.is_wide)
    return built(NUMBER, function + "({}, {})", double(left), double(right), nan=True)


def negative(value: Value) -> Value:
    """The number with the other sign; null where 64 bits do not hold it."""
    zero = Value(NUMBER, "0L", is_whole=True) if value.is_whole else Value(NUMBER, "0D")
    return arithmetic("-", zero, value)


def probability_sum(terms: Sequence[Value]) -> Value:
    """The sum of terms that are neither NaN nor null, as a balanced tree."""
    if len(terms) == 1:
        return terms[0]
    half = len(terms) // 2
    return built(NUMBER, "({} + {})", probability_sum(terms[:half]), probability_sum(terms[half:]))


def like(value: Value, pattern: str) -> Value:
    """LIKE, where % is any text and _ one character.

    A regular expression that never goes back: a stretch between two % is sought once, from the left, which is enough
    since each has a fixed length. Spark's own LIKE tries all ways to fit, which for ten % in 200 letters takes days.
    """
    stretches = [re.sub("_+", _any_characters, _escaped(part)) for part in re.split("%+", pattern)]
    if len(stretches) == 1:
        regex = stretches[0]
    else:
        first, *middle, last = stretches
        regex = first + "".join(f"(?>.*?{stretch})" for stretch in middle) + ".*" + last
    return built(FLAG, "({} RLIKE " + quoted(rf"\A(?s:{regex})\z").replace("{", "{{").replace("}", "}}") + ")", value)


def _any_characters(underscores: re.Match[str]) -> str:
    return f".{{{len(underscores[0])}}}"


def _escaped(stretch: str) -> str:
    """Signs and blanks of ASCII lose their meaning in a regular expression."""
    return re.sub(r"([^\w\u0080-\U0010ffff])", r"\\\1", stretch, flags=re.ASCII)
