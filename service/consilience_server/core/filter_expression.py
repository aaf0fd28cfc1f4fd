"""Expressions over attributes: which items of a gallery may be matched with.

```
filter     := and ("or" and)*
and        := not ("and" not)*
not        := "not" not | "(" filter ")" | condition
condition  := name ("=" | "==" | "!=" | "<>" | "<" | "<=" | ">" | ">=") value
            | name ["not"] "in" "(" value ("," value)* ")"
            | name "is" ["not"] "null"
            | name                                               a boolean attribute
value      := 'text' | "text" | number | "true" | "false"        a quote within text is doubled
name       := letters, digits, "_" and "."; any other name between backticks
```
Words of the language may be in either case. It is a small part of SQL's WHERE, with SQL's three values: a condition on a missing value (NaN
is one) is neither true nor false, `not` leaves it so, and only items for which the whole is true are kept. Text compares by its code
points, false is below true. Nothing else is evaluated: no functions, no arithmetic, no attributes of anything.
"""

import math
import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.errors import InvalidArgument, InvalidAttribute

Value = str | int | float | bool
Columns = Mapping[str, tuple[str, Sequence[Value | None]]]
"""Of each attribute by name: its type (`string`, `integer`, `real`, `boolean`) and one value an item, None where it is missing."""

_MOST_LETTERS = 65_536
_MOST_DEPTH = 64
_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\")|(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<quoted>`[^`]+`)"
    r"|(?P<word>[^\W\d][\w.]*)|(?P<sign><=|>=|==|!=|<>|[=<>(),]))"
)
_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_WORDS = frozenset({"and", "or", "not", "in", "is", "null", "true", "false"})
_FILLERS: dict[str, Value] = {"string": "", "integer": 0, "real": 0.0, "boolean": False}

_Truth = tuple[NDArray[np.bool_], NDArray[np.bool_]]
"""Where it is true, and where it is known."""


@dataclass(frozen=True)
class _Condition:
    """A comparison of one attribute with values: any of them for `in`; none for `is null` and a bare name."""

    name: str
    kind: Literal["compare", "in", "null", "bare"]
    sign: str = "="
    values: tuple[Value, ...] = ()

    def truth(self, columns: Columns) -> _Truth:
        """Where it holds; InvalidAttribute."""
        if self.name not in columns:
            known = ", ".join(sorted(columns)) or "none"
            raise InvalidAttribute(f"there is no attribute {self.name!r}; there are: {known}", field="filter", attribute=self.name)
        kind, values = columns[self.name]
        # NaN is the one value that differs from itself.
        given = np.fromiter((value is not None and value == value for value in values), dtype=bool, count=len(values))  # noqa: PLR0124
        if self.kind == "null":
            return ~given, np.ones(len(values), dtype=bool)
        if self.kind == "bare":
            _check_type(self.name, kind, True)
        for value in self.values:
            _check_type(self.name, kind, value)
        filler = _FILLERS[kind]
        held = np.empty(len(values), dtype=object)
        held[:] = [value if there else filler for value, there in zip(values, given, strict=True)]
        if self.kind == "bare":
            return held.astype(bool) & given, given
        if self.kind == "in":
            allowed = set(self.values)
            return np.fromiter((value in allowed for value in held), dtype=bool, count=len(held)) & given, given
        return np.asarray(_COMPARISONS[self.sign](held, self.values[0]), dtype=bool) & given, given


@dataclass(frozen=True)
class _Not:
    inner: "_Node"

    def truth(self, columns: Columns) -> _Truth:
        true, known = self.inner.truth(columns)
        return known & ~true, known


@dataclass(frozen=True)
class _Both:
    """Any number of parts joined by `and`, or by `or`."""

    parts: "tuple[_Node, ...]"
    is_and: bool

    def truth(self, columns: Columns) -> _Truth:
        truths = [part.truth(columns) for part in self.parts]
        true = np.logical_and.reduce([true for true, _ in truths]) if self.is_and else np.logical_or.reduce([true for true, _ in truths])
        false = [known & ~true for true, known in truths]
        return true, true | (np.logical_or.reduce(false) if self.is_and else np.logical_and.reduce(false))


_Node = _Condition | _Not | _Both


@dataclass(frozen=True)
class FilterExpression:
    """A filter that was read."""

    root: _Node

    def kept(self, columns: Columns) -> NDArray[np.bool_]:
        """(n,) bool: the items for which it is true.

        Raises:
            InvalidAttribute: an attribute that is not there, or is compared with a value of another type.
        """
        return self.root.truth(columns)[0]


def read_filter(text: str) -> FilterExpression:
    """Read an expression; InvalidArgument names the place where it cannot go on."""
    if len(text) > _MOST_LETTERS:
        raise InvalidArgument(f"the filter has {len(text):,} characters; at most {_MOST_LETTERS:,} are read", field="filter")
    return FilterExpression(_Reader(text).whole())


def _check_type(name: str, kind: str, value: Value) -> None:
    """InvalidAttribute where a value could never equal one of the attribute."""
    given = "string" if isinstance(value, str) else "boolean" if isinstance(value, bool) else "number"
    wanted = "number" if kind in ("integer", "real") else kind
    if given != wanted:
        raise InvalidAttribute(
            f"attribute {name!r} is of type {kind} and is compared with {value!r}, a {given}; give a {wanted}",
            field="filter",
            attribute=name,
        )


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    at: int

    @property
    def word(self) -> str:
        """Of the language, in lower case; empty for anything else."""
        return self.text.lower() if self.kind == "word" and self.text.lower() in _WORDS else ""


class _Reader:
    """Recursive descent over the tokens."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(self._cut())
        self._next = 0

    def _cut(self) -> Iterator[_Token]:
        at, end = 0, len(self._text.rstrip())
        while at < end:
            found = _TOKEN.match(self._text, at)
            if found is None:
                at += len(self._text[at:]) - len(self._text[at:].lstrip())
                raise self._refusal(at, "nothing that the language has begins here")
            yield _Token(str(found.lastgroup), found.group(str(found.lastgroup)), found.start(str(found.lastgroup)))
            at = found.end()
        yield _Token("end", "", end)

    def whole(self) -> _Node:
        node = self._joined(0)
        if self._token.kind != "end":
            raise self._expected("and, or, or the end")
        return node

    def _joined(self, depth: int, *, is_and: bool = False) -> _Node:
        parts = [self._negated(depth) if is_and else self._joined(depth, is_and=True)]
        while self._token.word == ("and" if is_and else "or"):
            self._next += 1
            parts.append(self._negated(depth) if is_and else self._joined(depth, is_and=True))
        return parts[0] if len(parts) == 1 else _Both(tuple(parts), is_and)

    def _negated(self, depth: int) -> _Node:
        if depth > _MOST_DEPTH:
            raise self._refusal(self._token.at, f"it is nested deeper than {_MOST_DEPTH}")
        if self._token.word == "not":
            self._next += 1
            return _Not(self._negated(depth + 1))
        if self._take("("):
            inner = self._joined(depth + 1)
            if not self._take(")"):
                raise self._expected(")")
            return inner
        return self._condition()

    def _condition(self) -> _Node:
        token = self._token
        if token.kind not in ("word", "quoted") or token.word:
            raise self._expected("the name of an attribute, not or (")
        self._next += 1
        name = token.text.strip("`")
        if self._token.kind == "sign" and self._token.text in _COMPARISONS:
            sign = self._token.text
            self._next += 1
            return _Condition(name, "compare", sign, (self._value(),))
        if self._token.word == "is":
            self._next += 1
            negated = self._take_word("not")
            if not self._take_word("null"):
                raise self._expected("null")
            condition = _Condition(name, "null")
            return _Not(condition) if negated else condition
        negated = self._token.word == "not"
        self._next += negated
        if not self._take_word("in"):
            if negated:
                raise self._expected("in")
            return _Condition(name, "bare")
        return _Not(self._listed(name)) if negated else self._listed(name)

    def _listed(self, name: str) -> _Condition:
        if not self._take("("):
            raise self._expected("( and a list of values")
        values = [self._value()]
        while self._take(","):
            values.append(self._value())
        if not self._take(")"):
            raise self._expected(", or )")
        return _Condition(name, "in", values=tuple(values))

    def _value(self) -> Value:
        token = self._token
        self._next += 1
        if token.kind == "text":
            quote = token.text[0]
            return token.text[1:-1].replace(2 * quote, quote)
        if token.kind == "number":
            number = int(token.text) if re.fullmatch(r"[+-]?\d{1,4000}", token.text) else float(token.text)
            if math.isfinite(number):
                return number
        if token.word in ("true", "false"):
            return token.word == "true"
        self._next -= 1
        raise self._expected("a value: 'text', a number, true or false")

    @property
    def _token(self) -> _Token:
        return self._tokens[self._next]

    def _take(self, sign: str) -> bool:
        taken = self._token.kind == "sign" and self._token.text == sign
        self._next += taken
        return taken

    def _take_word(self, word: str) -> bool:
        taken = self._token.word == word
        self._next += taken
        return taken

    def _expected(self, what: str) -> InvalidArgument:
        found = f", found {self._token.text[:40]!r}" if self._token.text else ", and it ends"
        return self._refusal(self._token.at, f"expected {what}{found}")

    def _refusal(self, at: int, why: str) -> InvalidArgument:
        before = self._text[max(0, at - 30) : at]
        return InvalidArgument(f"the filter cannot be read at character {at + 1}, after {before!r}: {why}", field="filter", position=at)
