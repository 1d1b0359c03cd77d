"""The language of subscribers' filters: the part of Spark SQL that can neither fail nor reach beyond its own row.

An expression is parsed here, its kinds (number, text, flag, array) are checked, and it is written out again as Spark
SQL in which nothing raises: a division by zero, an overflow or a missing element is null, and so is a number that is
missing (NaN), so that a comparison with it selects nothing. A filter can therefore never stop the stream.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from broker.records.fields import ALERT_FIELDS
from schemas.photometry import NJY_ZERO_POINT
from schemas.taxonomy import TAXONOMY, class_id_of, lineage

NUMBER, TEXT, FLAG, ARRAY = "a number", "text", "true or false", "an array"

_MAX_LENGTH = 4_000
_MAX_DEPTH = 40
_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)|(?P<text>'(?:[^'\\]|'')*')"
    r"|(?P<name>[A-Za-z_]\w*)|(?P<sign><=|>=|<>|!=|==|[-+*/%()<>=,\[\]]))"
)
_COMPARISONS = {"=": "=", "==": "=", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_ARITHMETIC = {"+": "try_add", "-": "try_subtract", "*": "try_multiply", "/": "try_divide", "%": "try_mod"}
_NUMERIC_FUNCTIONS = {
    **dict.fromkeys(["abs", "sqrt", "ln", "log10", "exp", "sin", "cos", "tan", "asin", "acos", "atan"], 1),
    **dict.fromkeys(["radians", "degrees", "floor", "ceil"], 1),
    **dict.fromkeys(["pow", "atan2", "greatest", "least"], 2),
}
"""Function of numbers: how many it takes at least."""

_POLE_RA_DEG, _POLE_DEC_DEG = 192.85948, 27.12825
"""The north Galactic pole in ICRS (ESA 1997, The Hipparcos and Tycho Catalogues, SP-1200, volume 1, 1.5.3)."""

_SEPARATION = (
    "degrees(2 * asin(least(1D, sqrt(pow(sin((radians(dec_deg) - radians({dec})) / 2), 2)"
    " + cos(radians(dec_deg)) * cos(radians({dec})) * pow(sin((radians(ra_deg) - radians({ra})) / 2), 2)))))"
)
"""The haversine formula (Sinnott 1984, Sky and Telescope 68, 159)."""

DERIVED = {
    "magnitude": f"IF(flux_njy > 0, {NJY_ZERO_POINT}D - 2.5D * log10(flux_njy), NULL)",
    "galactic_latitude_deg": "(90D - " + _SEPARATION.format(ra=f"{_POLE_RA_DEG}D", dec=f"{_POLE_DEC_DEG}D") + ")",
}
"""Numbers that are not columns: the AB magnitude of the latest flux (null where that is not positive), and the
latitude from the Galactic plane, degrees."""


class FilterError(ValueError):
    """An expression that is no filter; the message shows where and says what is allowed."""


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


class _Value(NamedTuple):
    kind: str
    sql: str
    is_whole: bool = False


def render(expression: str) -> str:
    """Check a filter's expression and write it as Spark SQL that cannot fail; FilterError where it is no filter."""
    if len(expression) > _MAX_LENGTH:
        raise FilterError(f"a filter may have at most {_MAX_LENGTH} characters, this has {len(expression)}")
    parser = _Parser(expression, _tokens(expression))
    value = parser.either()
    if parser.here.kind != "end":
        raise parser.error(f"did not expect {parser.here.text!r}")
    if value.kind != FLAG:
        raise FilterError(f"a filter must be true or false for each alert, this is {value.kind}: {expression}")
    return value.sql


def columns() -> dict[str, str]:
    """The names a filter may use, and the kind of each."""
    kinds = {"string": TEXT, "boolean": FLAG, "array": ARRAY}
    stored = {name: kinds.get(field.typeName(), NUMBER) for name, field in ALERT_FIELDS.items()}
    return stored | dict.fromkeys(DERIVED, NUMBER)


def probability(class_name: str) -> str:
    """Spark SQL for the probability of a class at the survey's rates: for a group in the tree the sum over it.

    LookupError where the taxonomy does not have the class.
    """
    chosen = class_id_of(class_name)
    group = [class_id for class_id in TAXONOMY if chosen in lineage(class_id)]
    terms = [f"coalesce(get(p_survey, CAST(array_position(class_ids, {i}) AS INT) - 1), 0)" for i in group]
    return f"IF(size(p_survey) = 0, NULL, {_null_if_missing(' + '.join(terms))})"


def _null_if_missing(number: str) -> str:
    """NaN as null: in Spark NaN is greater than any number."""
    return f"nanvl(CAST({number} AS DOUBLE), NULL)"


def _tokens(expression: str) -> list[_Token]:
    tokens, at = [], 0
    while expression[at:].strip():
        found = _TOKEN.match(expression, at)
        if found is None or found.lastgroup is None:
            raise FilterError(f"cannot read {expression[at:].strip()[:20]!r} in: {expression}")
        tokens.append(_Token(found.lastgroup, found[found.lastgroup], found.start(found.lastgroup)))
        at = found.end()
    return [*tokens, _Token("end", "the end", len(expression))]


@dataclass
class _Parser:
    """Recursive descent: each method reads one level of the grammar and returns its kind and its Spark SQL."""

    expression: str
    tokens: list[_Token]
    at: int = 0
    depth: int = 0

    @property
    def here(self) -> _Token:
        return self.tokens[self.at]

    def error(self, message: str) -> FilterError:
        return FilterError(f"{message} at character {self.here.at + 1} of: {self.expression}")

    def takes(self, *words: str) -> str | None:
        """Pass over one of the words or signs, if it is the next; returns it in upper case."""
        word = self.here.text.upper()
        if self.here.kind in ("name", "sign") and word in words:
            self.at += 1
            return word
        return None

    def needs(self, word: str) -> None:
        if not self.takes(word):
            raise self.error(f"expected {word!r}, found {self.here.text!r}")

    def of(self, kind: str, value: _Value) -> str:
        if value.kind != kind:
            raise self.error(f"expected {kind}, found {value.kind}")
        return value.sql

    def either(self) -> _Value:
        return self._chain("OR", self.both)

    def both(self) -> _Value:
        return self._chain("AND", self.negation)

    def _chain(self, word: str, part: Callable[[], _Value]) -> _Value:
        value = part()
        while self.takes(word):
            value = _Value(FLAG, f"({self.of(FLAG, value)} {word} {self.of(FLAG, part())})")
        return value

    def negation(self) -> _Value:
        if self.takes("NOT"):
            return _Value(FLAG, f"(NOT {self.of(FLAG, self._deeper(self.negation))})")
        return self.comparison()

    def comparison(self) -> _Value:
        left = self.sum()
        sign = self.takes(*_COMPARISONS)
        if sign:
            return _Value(FLAG, f"({left.sql} {_COMPARISONS[sign]} {self._like(left, self.sum())})")
        if self.takes("IS"):
            negated = "NOT " if self.takes("NOT") else ""
            self.needs("NULL")
            return _Value(FLAG, f"({left.sql} IS {negated}NULL)")
        negated = "NOT " if self.takes("NOT") else ""
        word = self.takes("IN", "BETWEEN", "LIKE")
        if word is None and negated:
            raise self.error("expected IN, BETWEEN or LIKE after NOT")
        return _Value(FLAG, f"({negated}{self._membership(word, left)})") if word else left

    def _membership(self, word: str, left: _Value) -> str:
        if word == "BETWEEN":
            low = self.of(NUMBER, self.sum())
            self.needs("AND")
            return f"({self.of(NUMBER, left)} BETWEEN {low} AND {self.of(NUMBER, self.sum())})"
        if word == "LIKE":
            return f"({self.of(TEXT, left)} LIKE {self._text_literal()})"
        self.needs("(")
        members = [self._like(left, value) for value in self._list()]
        return f"({left.sql} IN ({', '.join(members)}))"

    def _like(self, left: _Value, right: _Value) -> str:
        """The right side of a comparison: of the same kind, and one that has an order."""
        if left.kind == ARRAY:
            raise self.error("an array has no order; take one element of it: name[0]")
        return self.of(left.kind, right)

    def sum(self) -> _Value:
        return self._arithmetic(("+", "-"), self.product)

    def product(self) -> _Value:
        return self._arithmetic(("*", "/", "%"), self.unary)

    def _arithmetic(self, signs: tuple[str, ...], part: Callable[[], _Value]) -> _Value:
        value = part()
        while sign := self.takes(*signs):
            right = part()
            sql = f"{_ARITHMETIC[sign]}({self.of(NUMBER, value)}, {self.of(NUMBER, right)})"
            is_whole = value.is_whole and right.is_whole and sign != "/"
            value = _Value(NUMBER, sql if is_whole else _null_if_missing(sql), is_whole)
        return value

    def unary(self) -> _Value:
        if self.takes("-"):
            value = self._deeper(self.unary)
            return _Value(NUMBER, f"try_subtract(0, {self.of(NUMBER, value)})", value.is_whole)
        return self.primary()

    def primary(self) -> _Value:
        token = self.here
        if self.takes("("):
            inner = self._deeper(self.either)
            self.needs(")")
            return inner
        self.at += token.kind in ("number", "text", "name")
        if token.kind == "number":
            return _Value(NUMBER, self._number(token), token.text.isdigit())
        if token.kind == "text":
            return _Value(TEXT, token.text)
        if token.kind != "name":
            raise self.error(f"expected a value, found {token.text!r}")
        if token.text.upper() in ("TRUE", "FALSE"):
            return _Value(FLAG, token.text.upper())
        if self.takes("("):
            return self._function(token)
        return self._named(token)

    def _number(self, token: _Token) -> str:
        if token.text.isdigit() and len(token.text) < 19:
            return token.text
        value = float(token.text)
        if value == float("inf"):
            raise self.error(f"{token.text} is too large a number")
        return f"{value!r}D"

    def _named(self, token: _Token) -> _Value:
        name = token.text.lower()
        if name == "p":
            return self._probability()
        kind = columns().get(name)
        if kind is None:
            self.at -= 1
            raise self.error(f"no column {token.text!r}; a filter may use p['class'], {', '.join(columns())}")
        if kind == ARRAY and self.takes("["):
            index = self.of(NUMBER, self.sum())
            self.needs("]")
            return _Value(NUMBER, _null_if_missing(f"get({name}, try_cast({index} AS INT))"))
        if name in DERIVED:
            return _Value(kind, DERIVED[name])
        stored = ALERT_FIELDS[name].typeName()
        return _Value(
            kind, f"nanvl({name}, NULL)" if stored in ("float", "double") else name, stored in ("integer", "long")
        )

    def _probability(self) -> _Value:
        self.needs("[")
        class_name = self._text_literal()[1:-1]
        self.needs("]")
        try:
            return _Value(NUMBER, probability(class_name))
        except LookupError as error:
            raise FilterError(str(error.args[0])) from None

    def _function(self, token: _Token) -> _Value:
        name, arguments = token.text.lower(), self._list()
        if name == "size" and len(arguments) == 1:
            return _Value(NUMBER, f"size({self.of(ARRAY, arguments[0])})")
        if name in ("lower", "upper") and len(arguments) == 1:
            return _Value(TEXT, f"{name}({self.of(TEXT, arguments[0])})")
        if name == "separation_deg" and len(arguments) == 2:
            ra, dec = (self.of(NUMBER, argument) for argument in arguments)
            return _Value(NUMBER, _SEPARATION.format(ra=ra, dec=dec))
        if name not in _NUMERIC_FUNCTIONS:
            known = ", ".join(sorted([*_NUMERIC_FUNCTIONS, "size", "lower", "upper", "separation_deg"]))
            raise self.error(f"no function {name!r} of {len(arguments)} arguments; a filter may use {known}")
        least = _NUMERIC_FUNCTIONS[name]
        if len(arguments) < least or (name not in ("greatest", "least") and len(arguments) > least):
            raise self.error(f"{name} takes {least} numbers, found {len(arguments)}")
        numbers = ", ".join(f"CAST({self.of(NUMBER, argument)} AS DOUBLE)" for argument in arguments)
        return _Value(NUMBER, _null_if_missing(f"{name}({numbers})"))

    def _list(self) -> list[_Value]:
        """Values between commas, up to the closing bracket."""
        values = [self._deeper(self.sum)]
        while self.takes(","):
            values.append(self._deeper(self.sum))
        self.needs(")")
        return values

    def _text_literal(self) -> str:
        token = self.here
        if token.kind != "text":
            raise self.error(f"expected text in single quotes, found {token.text!r}")
        self.at += 1
        return token.text

    def _deeper(self, part: Callable[[], _Value]) -> _Value:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise self.error(f"brackets may be {_MAX_DEPTH} deep at most")
        value = part()
        self.depth -= 1
        return value
