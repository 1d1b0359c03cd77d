"""Filters made at random from the grammar, each with what it has to answer for a row, by rules of Python alone."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from hypothesis import strategies as st

Row = dict[str, Any]


class Part(NamedTuple):
    """A piece of a filter and its value for a row, None where it is missing. ``is_exact``: Python knows it."""

    text: str
    value: Callable[[Row], Any]
    is_exact: bool = True


def filters() -> st.SearchStrategy[Part]:
    """Conditions of up to four levels."""
    return _flags(3)


def _literal(value: Any) -> Part:
    return Part(f"'{value}'" if isinstance(value, str) else repr(value), lambda row: value)


def _column(name: str) -> Part:
    return Part(name, lambda row: _number(row[name]))


def _number(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value


def _of(template: str, rule: Callable[..., Any], *parts: Part, strict: bool = True) -> Part:
    """A piece made of others; ``strict`` ones are missing where one of the others is."""

    def value(row: Row) -> Any:
        values = [part.value(row) for part in parts]
        return None if strict and None in values else rule(*values)

    return Part(template.format(*(part.text for part in parts)), value, all(part.is_exact for part in parts))


def _whole(rule: Callable[..., int | None]) -> Callable[..., int | None]:
    """A result that 64 bits do not hold is missing."""

    def checked(*values: int) -> int | None:
        result = rule(*values)
        return result if result is not None and -(2**63) <= result < 2**63 else None

    return checked


def _floating(rule: Callable[..., float]) -> Callable[..., float | None]:
    def checked(*values: float) -> float | None:
        try:
            result: float | None = _number(rule(*(float(value) for value in values)))
        except (ValueError, ZeroDivisionError):
            return None
        return result

    return checked


def _remainder(left: int, right: int) -> int | None:
    """With the sign of the left one, as in Java."""
    if right == 0:
        return None
    rest = abs(left) % abs(right)
    return -rest if left < 0 else rest


_SMALL = st.integers(-3, 100) | st.sampled_from([2222, 2**31 - 1, 2**53])
_LARGE = st.integers(-(2**63), 2**63 - 1) | st.sampled_from(
    [2**63 - 1, -(2**63), 170_000_000_000_000_003, 313_000_000_000_000_001, 1105522281015015001]
)
_FLOATS = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([0.0, 0.5, 1e308, 5e-324, 150.0])
_WORDS = st.sampled_from(["g", "r", "", "0", "simulated", "313000000000000001", "🌟", "a''%_", "é\n"])


def _wholes(depth: int, wide: bool) -> st.SearchStrategy[Part]:
    """Whole numbers; ``wide``: ids and what is computed with them, too."""
    names = ["n_points", "class_id", "input_partition", "input_offset", "input_time_ms", "schema_id"]
    leaves = st.sampled_from(names + ["alert_id", "object_id"] * 2 * wide).map(_column)
    leaves |= (_LARGE if wide else _SMALL).map(_literal)
    if depth == 0:
        return leaves
    inner = _wholes(depth - 1, wide)
    signs = {"+": int.__add__, "-": int.__sub__, "*": int.__mul__, "%": _remainder}
    binary = st.builds(
        lambda sign, a, b: _of(f"({{}} {sign} {{}})", _whole(signs[sign]), a, b),
        st.sampled_from(sorted(signs)),
        inner,
        inner,
    )
    unary = st.one_of(
        inner.map(lambda a: _of("(- {})", _whole(int.__neg__), a)),
        inner.map(lambda a: _of("abs({})", _whole(abs), a)),
        _chosen(inner),
        st.just(Part("size(features)", lambda row: None if row["features"] is None else len(row["features"]))),
        _wholes(depth - 1, False).map(lambda a: _element("class_ids", a)),
    )
    return leaves | binary | unary | (_doubles(depth - 1).flatmap(_rounded) if not wide else st.nothing())


def _chosen(inner: st.SearchStrategy[Part]) -> st.SearchStrategy[Part]:
    rules = {"greatest": max, "least": min}

    def part(name: str, a: Part, b: Part) -> Part:
        def rule(*values: Any) -> Any:
            present = [value for value in values if value is not None]
            return rules[name](present) if present else None

        return _of(f"{name}({{}}, {{}})", rule, a, b, strict=False)

    return st.builds(part, st.sampled_from(sorted(rules)), inner, inner)


def _element(name: str, index: Part) -> Part:
    def value(row: Row) -> Any:
        at = index.value(row)
        return None if at is None or not row[name] or not 0 <= at < len(row[name]) else _number(row[name][at])

    return Part(f"{name}[{index.text}]", value, index.is_exact)


def _rounded(number: Part) -> st.SearchStrategy[Part]:
    def part(name: str) -> Part:
        def rule(value: float) -> int | None:
            if math.isinf(value) or abs(value) > 2**63:
                return None
            return max(-(2**63), min(2**63 - 1, int(getattr(math, name)(value))))

        return _of(f"{name}({{}})", rule, number)

    return st.sampled_from(["floor", "ceil"]).map(part)


def _doubles(depth: int) -> st.SearchStrategy[Part]:
    names = ["ra_deg", "dec_deg", "flux_njy", "reliability", "host_photoz", "novelty_p_value", "novelty_score"]
    leaves = st.sampled_from(names).map(_column) | _FLOATS.map(_literal)
    leaves |= st.integers(-2, 9).map(lambda i: _element("features", _literal(i)))
    rough = ["magnitude", "p['Ia']", "p['sn-like']", "p['agn']", "galactic_latitude_deg", "separation_deg(180, -30)"]
    leaves |= st.sampled_from(rough).map(lambda text: Part(text, lambda row: None, is_exact=False))
    if depth == 0:
        return leaves
    inner = _doubles(depth - 1)
    either = inner | _wholes(depth - 1, False)
    signs: dict[str, Callable[..., float]] = {
        "+": float.__add__, "-": float.__sub__, "*": float.__mul__, "/": float.__truediv__, "%": math.fmod,
    }  # fmt: skip
    binary = st.builds(
        lambda sign, a, b: _of(f"({{}} {sign} {{}})", _floating(signs[sign]), a, b),
        st.sampled_from(sorted(signs)), inner, either,
    )  # fmt: skip
    functions = ["ln", "log10", "exp", "sin", "cos", "tan", "asin", "acos", "atan", "radians", "degrees"]
    roughly = st.builds(
        lambda name, a: _of(f"{name}({{}})", abs, a)._replace(is_exact=False), st.sampled_from(functions), either
    )
    roughly |= st.builds(
        lambda name, a, b: _of(f"{name}({{}}, {{}})", max, a, b)._replace(is_exact=False),
        st.sampled_from(["pow", "atan2", "separation_deg"]), either, either,
    )  # fmt: skip
    return st.one_of(
        leaves,
        binary,
        inner.map(lambda a: _of("(- {})", _floating(lambda x: 0.0 - x), a)),
        inner.map(lambda a: _of("sqrt({})", _floating(math.sqrt), a)),
        inner.map(lambda a: _of("abs({})", _floating(abs), a)),
        _chosen(inner),
        roughly,
    )


def _texts() -> st.SearchStrategy[Part]:
    leaves = st.sampled_from(["band", "object_name", "survey", "not_classified_reason"]).map(_column)
    return leaves | _WORDS.map(lambda word: Part(f"'{word}'", lambda row: word.replace("''", "'")))


_COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a == b, "!=": lambda a, b: a != b, "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
}  # fmt: skip


def _comparisons(values: st.SearchStrategy[Part]) -> st.SearchStrategy[Part]:
    compared = st.builds(
        lambda sign, a, b: _of(f"({{}} {sign} {{}})", _COMPARED[sign], a, b),
        st.sampled_from(sorted(_COMPARED)),
        values,
        values,
    )
    among = st.builds(
        lambda a, members, no: _among(a, members, no), values, st.lists(values, min_size=1, max_size=4), st.booleans()
    )
    missing = values.map(lambda a: _of("({} IS NULL)", lambda x: x is None, a, strict=False))
    return st.integers(0, 9).flatmap(lambda i: missing if i == 0 else among if i < 4 else compared)


def _among(value: Part, members: list[Part], no: bool) -> Part:
    def rule(first: Any, *others: Any) -> bool | None:
        if first is None:
            return None
        if first in [other for other in others if other is not None]:
            return not no
        return None if None in others else no

    word = "NOT IN" if no else "IN"
    return _of(f"({{}} {word} ({', '.join(['{}'] * len(members))}))", rule, value, *members, strict=False)


def _between(values: st.SearchStrategy[Part]) -> st.SearchStrategy[Part]:
    def rule(value: Any, low: Any, high: Any) -> bool | None:
        above = None if None in (value, low) else value >= low
        below = None if None in (value, high) else value <= high
        return _both(above, below)

    return st.builds(lambda a, b, c: _of("({} BETWEEN {} AND {})", rule, a, b, c, strict=False), values, values, values)


def _both(left: bool | None, right: bool | None) -> bool | None:
    if left is False or right is False:
        return False
    return None if None in (left, right) else True


def _either(left: bool | None, right: bool | None) -> bool | None:
    if left is True or right is True:
        return True
    return None if None in (left, right) else False


def _like(text: Part, pattern: str) -> Part:
    signs = {"%": ".*", "_": "."}
    regex = "".join(signs.get(sign, re.escape(sign)) for sign in pattern.replace("''", "'"))
    return _of(f"({{}} LIKE '{pattern}')", lambda value: re.fullmatch(regex, value, re.DOTALL) is not None, text)


def _quoted(id_column: str, number: int, sign: str) -> Part:
    """An id beside a whole number in quotes."""
    return _of(f"({{}} {sign} '{number}')", lambda value: _COMPARED[sign](value, number), _column(id_column))


def _flags(depth: int) -> st.SearchStrategy[Part]:
    leaves = st.one_of(
        _comparisons(_wholes(1, True)),
        _between(_wholes(1, True)),
        _comparisons(_doubles(1)),
        _comparisons(_doubles(1) | _wholes(1, False)),
        _between(_doubles(1) | _wholes(1, False)),
        _comparisons(_texts()),
        st.builds(
            _like, _texts(), st.text(alphabet="%_ag0🌟'3. \n", max_size=8).map(lambda text: text.replace("'", "''"))
        ),
        st.builds(_quoted, st.sampled_from(["alert_id", "object_id"]), _LARGE, st.sampled_from(sorted(_COMPARED))),
        st.sampled_from(["is_strange", "is_solar_system"]).map(_column),
        st.sampled_from([Part("TRUE", lambda row: True), Part("false", lambda row: False)]),
    )
    if depth == 0:
        return leaves
    inner = _flags(depth - 1)
    return st.one_of(
        leaves,
        inner.map(lambda a: _of("(NOT {})", lambda x: not x, a)),
        st.builds(lambda a, b: _of("({} AND {})", _both, a, b, strict=False), inner, inner),
        st.builds(lambda a, b: _of("({} or {})", _either, a, b, strict=False), inner, inner),
        st.builds(lambda a, b: _of("({} = {})", lambda x, y: x == y, a, b), inner, inner),
    )
