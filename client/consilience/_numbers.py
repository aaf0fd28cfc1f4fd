"""Numbers as callers give them, checked before they are sent."""

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from consilience.errors import InvalidArgumentError

INT32 = 2**31 - 1
UINT32 = 2**32 - 1
INT64 = 2**63 - 1
UINT64 = 2**64 - 1

FOR_EVER = 1e9
"""Seconds; neither gRPC nor an event loop takes an infinite deadline."""


def whole(value: Any, field: str, *, least: int = 0, most: int = UINT32, reason: str = "INVALID_ARGUMENT") -> int:
    """A whole number in [least, most]: Python's, NumPy's, or whatever else counts as an index; no bool, no real, no text.

    Raises:
        InvalidArgumentError: it is none, or beyond the bounds.
    """
    try:
        number = None if isinstance(value, bool | np.bool_) else operator.index(value)
    except TypeError:
        number = None
    if number is None:
        raise InvalidArgumentError(
            f"{field} is {value!r}, of type {type(value).__name__}; give a whole number of at least {least}", reason=reason, field=field
        )
    if not least <= number <= most:
        raise InvalidArgumentError(f"{field} is {number}; give a whole number from {least} to {most}", reason=reason, field=field)
    return number


def share(value: Any, field: str) -> float:
    """A number in the open interval (0, 1).

    Raises:
        InvalidArgumentError: it is no number, or lies elsewhere.
    """
    number = _real(value)
    if number is None or not 0 < number < 1:
        raise InvalidArgumentError(f"{field} is {value!r}; give a number above 0 and below 1", field=field)
    return number


def positive(value: Any, field: str) -> float:
    """A finite number above 0.

    Raises:
        InvalidArgumentError: it is no number, or not above 0.
    """
    number = _real(value)
    if number is None or not number > 0:
        raise InvalidArgumentError(f"{field} is {value!r}; give a number above 0", field=field)
    return number


def seconds(value: Any, field: str = "timeout") -> float:
    """A span of time above 0.

    Raises:
        InvalidArgumentError: it is no number, or not above 0.
    """
    number = math.inf if isinstance(value, float) and value == math.inf else _real(value)
    if number is None or not number > 0:
        raise InvalidArgumentError(f"{field} is {value!r}; give seconds above 0", field=field)
    return number


def real(value: Any, field: str, *, above: float | None = None) -> float:
    """A finite number, above a bound where one is given.

    Raises:
        InvalidArgumentError: it is none.
    """
    number = _real(value)
    if number is None or (above is not None and number <= above):
        bound = "" if above is None else f" above {above:g}"
        raise InvalidArgumentError(f"{field} is {value!r}; give a finite number{bound}", field=field)
    return number


def reals(values: Any, field: str) -> list[float]:
    """A list of finite numbers.

    Raises:
        InvalidArgumentError: it is no list, or an entry is no number.
    """
    numbers = (
        [_real(value) for value in values] if isinstance(values, Sequence | np.ndarray) and not isinstance(values, str | bytes) else [None]
    )
    found = [number for number in numbers if number is not None]
    if len(found) < len(numbers):
        raise InvalidArgumentError(f"{field} is {values!r}; give a list of finite numbers", field=field)
    return found


def _real(value: Any) -> float | None:
    if isinstance(value, bool | np.bool_ | str | bytes):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
