"""The language of subscribers' filters: the part of Spark SQL that can neither fail nor reach beyond its own row.

An expression is parsed here, its kinds (number, text, flag, array) are checked, and it is written out again as Spark
SQL in which nothing raises: a division by zero, an overflow or a missing element is null, and so is a number that is
missing (NaN), so that a comparison with it selects nothing. What is written is limited in depth and length. A filter
can therefore not stop the stream; the job tries each one all the same before it begins (``broker.filters.trial``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from broker.filters import values
from broker.filters.columns import column, columns, element, probability
from broker.filters.functions import call
from broker.filters.tokens import FilterError, Token, tokens
from broker.filters.values import ARRAY, FLAG, NUMBER, TEXT, Unfit, Value, built, checked

_MAX_BRACKETS = 40
_COMPARISONS = {"=": "=", "==": "=", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


@dataclass(frozen=True)
class Condition:
    """A filter's expression that was checked: as the subscriber wrote it, and as Spark runs it. ``parse`` makes it."""

    expression: str
    sql: str


def parse(expression: str) -> Condition:
    """Check a filter's expression and write it as Spark SQL that cannot fail; FilterError where it is no filter.

    >>> parse("n_points < 8 AND p['Ia'] > 0.8").expression
    "n_points < 8 AND p['Ia'] > 0.8"
    >>> parse("n_points < 8").sql
    '(CAST(`n_points` AS BIGINT) < 8L)'
    """
    parser = _Parser(expression, tokens(expression))
    try:
        value = parser.either()
    except (Unfit, LookupError) as error:
        raise parser.error(str(error.args[0])) from None
    if parser.here.kind != "end":
        raise parser.error(f"did not expect {parser.here.text!r}")
    if value.kind != FLAG:
        raise FilterError(f"a filter must be true or false for each alert, this is {value.kind}: {expression}")
    return Condition(expression, value.sql)


@dataclass
class _Parser:
    """Recursive descent: each method reads one level of the grammar and returns its value."""

    expression: str
    tokens: list[Token]
    at: int = 0
    depth: int = field(default=0, init=False)

    @property
    def here(self) -> Token:
        return self.tokens[self.at]

    def error(self, message: str) -> FilterError:
        """An error at the next token, with the expression around it in one line."""
        begin, end = max(0, self.here.at - 80), self.here.at + 80
        around = " ".join(self.expression[begin:end].split())
        before, after = "…" if begin else "", "…" if end < len(self.expression) else ""
        return FilterError(f"{message}, at character {self.here.at + 1} of: {before}{around}{after}")

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

    def of(self, kind: str, value: Value) -> Value:
        if value.kind != kind:
            raise self.error(f"expected {kind}, found {value.kind}")
        return value

    def either(self) -> Value:
        return self._chain("OR", self.both)

    def both(self) -> Value:
        return self._chain("AND", self.negation)

    def _chain(self, word: str, part: Callable[[], Value]) -> Value:
        parts = [part()]
        while self.takes(word):
            self.of(FLAG, parts[0])
            parts.append(self.of(FLAG, part()))
        if len(parts) == 1:
            return parts[0]
        return values.joined(FLAG, word, parts, levels=len(parts).bit_length())

    def negation(self) -> Value:
        if self.takes("NOT"):
            return built(FLAG, "(NOT {})", self.of(FLAG, self._deeper(self.negation)))
        return self.comparison()

    def comparison(self) -> Value:
        left = self.sum()
        sign = self.takes(*_COMPARISONS)
        if sign:
            return built(FLAG, f"({{}} {_COMPARISONS[sign]} {{}})", *values.same_kind([left, self.sum()]))
        if self.takes("IS"):
            test = "IS NOT NULL" if self.takes("NOT") else "IS NULL"
            self.needs("NULL")
            return built(FLAG, f"({{}} {test})", checked(left))
        negated = bool(self.takes("NOT"))
        word = self.takes("IN", "BETWEEN", "LIKE")
        if word is None and negated:
            raise self.error("expected IN, BETWEEN or LIKE after NOT")
        if word is None:
            return left
        member = self._membership(word, left)
        return built(FLAG, "(NOT {})", member) if negated else member

    def _membership(self, word: str, left: Value) -> Value:
        if word == "LIKE":
            return values.like(self.of(TEXT, left), self._text_literal())
        if word == "BETWEEN":
            low = self.sum()
            self.needs("AND")
            numbers = values.same_kind([left, low, self.sum()])
            return built(FLAG, "({} BETWEEN {} AND {})", *(self.of(NUMBER, number) for number in numbers), levels=2)
        self.needs("(")
        members = values.same_kind([left, *self._list()])
        return built(FLAG, "({} IN (" + ", ".join(["{}"] * (len(members) - 1)) + "))", *members)

    def sum(self) -> Value:
        return self._arithmetic(("+", "-"), self.product)

    def product(self) -> Value:
        return self._arithmetic(("*", "/", "%"), self.unary)

    def _arithmetic(self, signs: tuple[str, ...], part: Callable[[], Value]) -> Value:
        value = part()
        while sign := self.takes(*signs):
            value = values.arithmetic(sign, self.of(NUMBER, value), self.of(NUMBER, part()))
        return value

    def unary(self) -> Value:
        if not self.takes("-"):
            return self.primary()
        if self.here.kind == "number":  # the least whole number of 64 bits has no positive counterpart
            return self._number("-")
        return values.negative(self.of(NUMBER, self._deeper(self.unary)))

    def primary(self) -> Value:
        if self.here.kind == "number":
            return self._number()
        if self.here.kind == "text":
            return values.text(self._text_literal())
        if self.takes("("):
            inner = self._deeper(self.either)
            self.needs(")")
            return inner
        if self.here.kind != "name":
            raise self.error(f"expected a value, found {self.here.text!r}")
        if flag := self.takes("TRUE", "FALSE"):
            return Value(FLAG, flag)
        return self._named()

    def _number(self, minus: str = "") -> Value:
        written = minus + self.here.text
        value = values.whole(int(written)) if self.here.text.isdigit() else values.floating(written)
        self.at += 1
        return value

    def _named(self) -> Value:
        name = self.here.text.lower()
        if self.tokens[self.at + 1].text == "(":
            self.at += 2
            return call(name, self._list())
        if name != "p" and name not in columns():
            raise self.error(f"no column {self.here.text!r}; a filter may use p['class'], {', '.join(columns())}")
        self.at += 1
        if name == "p":
            return self._probability()
        if columns()[name] == ARRAY and self.takes("["):
            index = self.sum()
            self.needs("]")
            return element(name, index)
        return column(name)

    def _probability(self) -> Value:
        self.needs("[")
        class_name = self._text_literal()
        self.needs("]")
        return probability(class_name)

    def _list(self) -> list[Value]:
        """Values between commas, up to the closing bracket."""
        members = [self._deeper(self.sum)]
        while self.takes(","):
            members.append(self._deeper(self.sum))
        self.needs(")")
        return members

    def _text_literal(self) -> str:
        if self.here.kind != "text":
            raise self.error(f"expected text in single quotes, found {self.here.text!r}")
        content = self.here.content
        self.at += 1
        return content

    def _deeper(self, part: Callable[[], Value]) -> Value:
        self.depth += 1
        if self.depth > _MAX_BRACKETS:
            raise self.error(f"brackets may be {_MAX_BRACKETS} deep at most")
        value = part()
        self.depth -= 1
        return value
