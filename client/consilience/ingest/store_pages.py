"""What the readers of other stores share: pages, payloads as typed columns, and failures as errors of this package."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from consilience._batches import Block, RowSource
from consilience.errors import InvalidArgumentError, Unavailable
from consilience.ingest.store_url import StoreUrl

BLOCK_BYTES = 4 << 20
"""Of the vectors of one page: what is in memory at a time, with its attributes."""

MOST_ROWS = 4096

_ATTRIBUTE = re.compile(r"[a-z][a-z0-9_]{0,63}")
_TYPES: dict[str, tuple[type, ...]] = {"string": (str,), "integer": (int,), "real": (int, float), "boolean": (bool,)}


class StoreSource(RowSource, Protocol):
    """Rows of a collection; the readers remember where pages begin, so that a broken upload goes on there."""

    @property
    def expected_rows(self) -> int:
        """How many rows the store told; others may come or go while they are read."""
        ...

    @property
    def similarity(self) -> str:
        """How the store compares its vectors: `cosine`, `inner_product` or `squared_l2`; empty where that is none of them."""
        ...

    def close(self) -> None:
        """End the connection."""
        ...


def page_rows(dim: int) -> int:
    """Rows a page."""
    return max(1, min(MOST_ROWS, BLOCK_BYTES // (4 * max(1, dim))))


@contextmanager
def asked(url: StoreUrl, what: str, refusals: tuple[type[Exception], ...], losses: tuple[type[Exception], ...]) -> Iterator[None]:
    """Within it, the store's refusals are InvalidArgumentErrors, and what its connection fails with is Unavailable, which uploads retry."""
    try:
        yield
    except losses as error:
        raise Unavailable(f"{url} does not answer: {_first_line(error)}", reason="STORE_UNAVAILABLE") from error
    except refusals as error:
        raise InvalidArgumentError(f"{url}: {what}: {_first_line(error)}", field="path") from error


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).strip().splitlines()[0]


class Columns:
    """What becomes of a record's payload: typed attribute columns.

    Args:
        chosen: `name` or `name:type` each; None takes every value that is a string, a number or a boolean, under a name that an attribute
            can have.
    """

    def __init__(self, chosen: Sequence[str] | None) -> None:
        self._types: dict[str, str] | None = None if chosen is None else dict(_typed(column) for column in chosen)
        self._seen: set[str] = set()

    @property
    def names(self) -> list[str] | None:
        """The chosen ones; None where all are taken."""
        return None if self._types is None else list(self._types)

    def of(self, payloads: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
        """Values by name, None where a record has none.

        Raises:
            InvalidArgumentError: a value of a chosen column is of another type than was said; one that is no scalar is refused later.
        """
        if self._types is None:
            names = dict.fromkeys(name for payload in payloads for name, value in payload.items() if _is_attribute(name, value))
            return {name: [_scalar_or_none(payload.get(name)) for payload in payloads] for name in names}
        found = {name: [_cast(payload.get(name), kind, name) for payload in payloads] for name, kind in self._types.items()}
        self._seen |= {name for name, values in found.items() if any(value is not None for value in values)}
        return found

    def check_seen(self, url: StoreUrl) -> None:
        """Called after the last record: InvalidArgumentError where a chosen column was in none of them; nothing is uploaded then."""
        missing = sorted(set(self._types or ()) - self._seen)
        if missing:
            raise InvalidArgumentError(f"no record of {url} has a value of {', '.join(missing)}", field="attribute_columns")


def _typed(column: str) -> tuple[str, str]:
    name, _, kind = column.partition(":")
    if kind and kind not in _TYPES:
        raise InvalidArgumentError(f"{column!r}: there is no type {kind!r}; there are {', '.join(_TYPES)}", field="attribute_columns")
    return name, kind


def _is_attribute(name: str, value: Any) -> bool:
    return _scalar_or_none(value) is not None and bool(_ATTRIBUTE.fullmatch(name)) and name not in {"item_id", "vector"}


def _scalar_or_none(value: Any) -> Any:
    return value if isinstance(value, str | bool | int | float) else None


def _cast(value: Any, kind: str, name: str) -> Any:
    if value is None or not kind:
        return value
    if not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "boolean"):
        raise InvalidArgumentError(f"column {name!r} holds {value!r}, which is no {kind}", field="attribute_columns")
    return float(value) if kind == "real" and isinstance(value, int) else value


def rows_from(block: Block, row: int, first_row: int) -> Block:
    """The rows of a block that begins at `row` from `first_row` on."""
    return block.rows_from(max(0, first_row - row))
