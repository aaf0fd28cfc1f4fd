"""What all results share: equality of their numbers, plain dictionaries, and how the call went."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from consilience.errors import InvalidArgumentError, MissingExtraError


@dataclass(frozen=True)
class CallDetails:
    """How a call went, from its trailing metadata; no part of the answer.

    Attributes:
        request_id: names the call in the server's log.
        timings: seconds by stage (`queue`, `load`, `scan`, `statistics`, `cache`, `encode`), and `total`.
        cache_tier: `memory`, `redis` or `joined` where the answer was not computed for this call, else empty.
        elapsed: seconds that the call took, retries included, as its caller saw it.
    """

    request_id: str = ""
    timings: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    cache_tier: str = ""
    elapsed: float = field(default=0.0, compare=False)

    def left(self, timeout: float | None) -> float | None:
        """What the call left of `timeout` seconds, for work that goes on as an operation; None of None."""
        return None if timeout is None else max(timeout - self.elapsed, 0.001)


NO_DETAILS = CallDetails()


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Result:
    """Base of the results: frozen, equal where all numbers are equal (NaN equals NaN), `details` left out."""

    details: CallDetails = field(default=NO_DETAILS, compare=False)

    @property
    def timings(self) -> Mapping[str, float]:
        """Seconds by stage that the server spent on the call."""
        return self.details.timings

    @property
    def cache_tier(self) -> str:
        """`memory`, `redis` or `joined` where the answer was not computed for this call, else empty."""
        return self.details.cache_tier

    @property
    def request_id(self) -> str:
        """Names the call in the server's log."""
        return self.details.request_id

    def to_dict(self) -> dict[str, Any]:
        """The result as JSON can carry it: arrays as nested lists, NaN as None, times as ISO 8601 text; `details` left out."""
        return {item.name: plain(getattr(self, item.name)) for item in dataclasses.fields(self) if item.compare}

    def subject(self) -> str:
        """The spaces that the result is about, where the first line of `repr` does not name them; else empty."""
        return ""

    def text(self) -> str:
        """The result in full for people to read: what `repr` shows, and more of some."""
        return repr(self)

    def figures(self) -> Mapping[str, Callable[[], Any]]:
        """What can be drawn of the result: a name and how to draw it. The first is what `plot` draws."""
        return {}

    def plot(self, path: str | Path | None = None, *, kind: str | None = None) -> Any:
        """Draw the result: a `matplotlib.figure.Figure`, which a notebook shows. Needs `consilience[report]`.

        Args:
            path: also write it there, as PNG, SVG or PDF by the ending.
            kind: one of the names in `figures()`; None is the first.

        Raises:
            InvalidArgumentError: nothing can be drawn, there is no such kind, or the path is no picture's.
            MissingExtraError: matplotlib is not installed.
        """
        drawings = self.figures()
        if not drawings:
            raise InvalidArgumentError(f"there is nothing to draw of this {type(self).__name__}{self._why_no_figure()}", field="kind")
        if kind is not None and kind not in drawings:
            raise InvalidArgumentError(f"no figure {kind!r}; there are {', '.join(drawings)}", field="kind")
        figure = drawings[kind or next(iter(drawings))]()
        if path is not None:
            from consilience._figures.canvas import write

            write(figure, path)
        return figure

    def _why_no_figure(self) -> str:
        """What to ask instead, where another call would have had a figure."""
        return ""

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(_equal(getattr(self, item.name), getattr(other, item.name)) for item in dataclasses.fields(self) if item.compare)

    __hash__ = None  # type: ignore[assignment]  # holds arrays and mappings

    def __repr__(self) -> str:
        told = ((item.name, getattr(self, item.name)) for item in dataclasses.fields(self) if item.compare and item.repr)
        return f"{type(self).__name__}({', '.join(f'{name}={_short(value)}' for name, value in told)})"


def plain(value: Any) -> Any:  # noqa: PLR0911 - one return a kind of value
    """A value of a result in JSON's types."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        if isinstance(value, Result):
            return value.to_dict()
        return {item.name: plain(getattr(value, item.name)) for item in dataclasses.fields(value) if item.compare}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, tuple | list):
        named: tuple[str, ...] | None = getattr(value, "_fields", None)
        return {key: plain(entry) for key, entry in zip(named, value, strict=True)} if named else [plain(entry) for entry in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value


def _equal(left: Any, right: Any) -> bool:
    if isinstance(left, np.ndarray) or isinstance(right, np.ndarray):
        left, right = np.asarray(left), np.asarray(right)
        nan_counts = left.dtype.kind == "f" and right.dtype.kind == "f"
        return bool(left.shape == right.shape and np.array_equal(left, right, equal_nan=nan_counts))
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(_equal(left[key], right[key]) for key in left)
    if isinstance(left, float) and isinstance(right, float) and np.isnan(left) and np.isnan(right):
        return True
    return bool(left == right)


def _short(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"<{value.dtype} {'x'.join(map(str, value.shape))}>"
    if isinstance(value, list | tuple) and len(value) > 6:
        return f"<{len(value):,} values>"
    return repr(value)


def number(value: float) -> str:
    """Three decimals, or two significant digits where that would hide the value."""
    if value == 0 or abs(value) >= 0.01:
        return f"{value:.3f}"
    return f"{value:.2g}"


def probability(p_value: float, permutations: int) -> str:
    """`p <= .001` at the least value that this many permutations can give, else `p = .012`."""
    sign = "<=" if permutations and p_value <= (1 + 1e-9) / (permutations + 1) else "="
    digits = f"{p_value:.2g}"
    return f"p {sign} {digits.removeprefix('0') or '0'}"


def asked(n: int, gallery: int) -> str:
    """How many items a score is over, and against how many they were asked where that is more."""
    return f"n = {n:,}" if n == gallery else f"n = {counted(n, 'query', 'queries')} of {gallery:,} items"


def counted(count: int, one: str, many: str) -> str:
    """`1 query`, `2,000 queries`."""
    return f"{count:,} {one if count == 1 else many}"


def import_pandas() -> Any:
    """Pandas, or which extra brings it."""
    try:
        import pandas as pd
    except ImportError as error:
        raise MissingExtraError("to_pandas() needs pandas: pip install 'consilience[report]'", reason="EXTRA_MISSING") from error
    return pd
