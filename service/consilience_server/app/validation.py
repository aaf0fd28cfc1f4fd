"""What a batch must be before anything is written."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.ports import AttributeColumn, Batch, SpaceRecord, SpaceSpec
from consilience_server.core.errors import (
    DimensionMismatch,
    DuplicateId,
    InvalidArgument,
    InvalidAttribute,
    InvalidId,
    InvalidName,
    NotFinite,
    ShapeMismatch,
    ZeroVector,
)
from consilience_server.core.kernel_kind import KernelKind
from consilience_server.core.kernel_matrix import check_kernel_matrix
from consilience_server.core.repeats import check_repeats
from consilience_server.core.similarity import Similarity

_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")
_ATTRIBUTE = re.compile(r"[a-z][a-z0-9_]{0,63}")
_SHOWN = 10
_SHOWN_CHARACTERS = 60
_MOST_REPEATS = 1024
_PYTHON_TYPES: dict[str, tuple[type, ...]] = {"string": (str,), "integer": (int,), "real": (float, int), "boolean": (bool,)}
_INT64 = range(-(2**63), 2**63)


def shown(values: Sequence[object]) -> str:
    """The first ten, for messages, and how many more there are."""
    listed = ", ".join(repr(value) for value in values[:_SHOWN])
    return listed if len(values) <= _SHOWN else f"{listed} and {len(values) - _SHOWN:,} more"


def check_name(name: str, field: str) -> None:
    """`[a-z][a-z0-9-]{0,62}`, else InvalidName."""
    if not _NAME.fullmatch(name):
        raise InvalidName(f"{name!r} is no valid id: a lower-case letter, then up to 62 of a-z, 0-9 and -", field=field)


def check_spec(spec: SpaceSpec, max_dim: int) -> None:
    """A space that can be made: its name, and 1 <= dim <= max_dim, of a kernel 0."""
    check_name(spec.name, "space_id")
    _check_repeats(spec)
    if spec.kernel is not None:
        if spec.dim:
            message = f"dim is {spec.dim}; the rows of a kernel are as wide as it has items: leave dim out"
            raise InvalidArgument(message, field="space.dim")
        return
    if not 1 <= spec.dim <= max_dim:
        raise InvalidArgument(f"dim is {spec.dim}; it must be 1 to {max_dim:,}", field="space.dim")


def _check_repeats(spec: SpaceSpec) -> None:
    """Names of repeats: of a kernel, two or more, each once."""
    if not spec.repeats:
        return
    if spec.kernel is None:
        raise InvalidArgument("a space of vectors has no repeats; upload one space a repeat", field="space.repeats")
    faults = [name for name in spec.repeats if not name or not name.isprintable() or len(name) > _SHOWN_CHARACTERS]
    if faults or len(set(spec.repeats)) < len(spec.repeats) or not 2 <= len(spec.repeats) <= _MOST_REPEATS:
        raise InvalidArgument(
            f"the repeats are {shown(spec.repeats)}; give 2 to {_MOST_REPEATS:,} names, each once, printable and up to {_SHOWN_CHARACTERS} "
            "characters",
            field="space.repeats",
        )


def check_ids(
    ids: Sequence[str], max_bytes: int, field: str = "batch.ids", *, first_row: int = 0, remedy: str = "send each item once"
) -> None:
    """Non-empty, at most `max_bytes` of UTF-8, no control characters, each once.

    Args:
        ids: of items.
        max_bytes: of the longest id.
        field: of the request, for the error.
        first_row: the row of the whole upload that the first id has: messages number rows so.
        remedy: what to do about an id that stands twice.

    Raises:
        InvalidId: names each bad id with what is wrong with it.
        DuplicateId: names the ids.
    """
    bad = [(first_row + row, fault) for row, item in enumerate(ids) if (fault := _id_fault(item, max_bytes))]
    if bad:
        place = "row" if field.startswith("batch") else "position"
        listed = ", ".join(f"{place} {row} {fault}" for row, fault in bad[:_SHOWN])
        more = f" and {len(bad) - _SHOWN:,} more" if len(bad) > _SHOWN else ""
        raise InvalidId(
            f"{len(bad):,} item ids are refused: {listed}{more}; an id is 1 to {max_bytes} bytes of UTF-8 without control characters: "
            "correct these ids",
            field=field,
            positions=[row for row, _ in bad[:_SHOWN]],
        )
    if len(set(ids)) != len(ids):
        seen: set[str] = set()
        twice = [item for item in ids if item in seen or seen.add(item)]  # type: ignore[func-returns-value]  # set.add is None, falsy
        raise DuplicateId(f"item ids stand twice in one message: {shown(twice)}; {remedy}", field=field, ids=twice[:_SHOWN])


def _id_fault(item: str, max_bytes: int) -> str:
    """What is wrong with an id, with the id itself; empty where nothing is."""
    if not item:
        return "is empty"
    size = len(item.encode())
    cut = repr(item if len(item) <= _SHOWN_CHARACTERS else item[:_SHOWN_CHARACTERS] + "...")
    if size > max_bytes:
        return f"({cut}) has {size:,} bytes"
    return f"({cut}) holds a control character" if not item.isprintable() and _has_control(item) else ""


def _has_control(text: str) -> bool:
    return any(unicodedata.category(character) == "Cc" for character in text)


def check_vectors(
    vectors: NDArray[np.float32],
    similarity: Similarity,
    ids: Sequence[str] | None = None,
    field: str = "batch.vectors",
    *,
    first_row: int = 0,
) -> None:
    """Finite, and no zero vector under cosine; the message names rows, counted from `first_row`, and ids."""
    # Sound vectors have a finite square above 0. Where rounding makes it none, the entries are looked at one by one.
    squares = np.einsum("ij,ij->i", vectors, vectors)
    if ((squares > 0) & (squares < np.inf)).all():
        return
    finite = np.isfinite(vectors).all(axis=1)
    if not finite.all():
        raise NotFinite(_rows_message("NaN or infinity", np.flatnonzero(~finite), ids, first_row), field=field)
    if similarity is Similarity.COSINE:
        zero = ~vectors.any(axis=1)
        if zero.any():
            what = "only zeros, which have no direction under cosine"
            raise ZeroVector(_rows_message(what, np.flatnonzero(zero), ids, first_row), field=field)


def _rows_message(what: str, rows: NDArray[np.int64], ids: Sequence[str] | None, first_row: int) -> str:
    listed = shown([first_row + int(row) for row in rows])
    named = f" (ids {shown([ids[int(row)] for row in rows])})" if ids is not None else ""
    return f"{len(rows):,} rows hold {what}: rows {listed}{named}; drop or repair them"


def check_width(columns: int, dim: int, what: str, field: str) -> None:
    """`columns` equals `dim`, else DimensionMismatch with both."""
    if columns != dim:
        message = f"the vectors have {columns} columns, {what} has dim {dim}; give vectors of {dim} columns"
        raise DimensionMismatch(message, field=field, columns=columns, dim=dim)


def check_kernel_upload(batch: Batch, kind: KernelKind, repeats: Sequence[str] = ()) -> None:
    """A whole upload of a kernel space: its items in byte order of their ids, and a matrix that is their kernel.

    Raises:
        InvalidKernel, NotFinite: see `core/kernel_matrix.py`.
        InvalidId: rows out of order, for then columns could not be told.
    """
    for row, (one, following) in enumerate(pairwise(batch.ids)):
        if one >= following and batch.vectors.shape[1] == len(batch.ids) * max(1, len(repeats)):
            message = (
                f"row {row + 1} ({following!r}) comes after row {row} ({one!r}); rows and columns of a kernel stand in byte order of the "
                "item ids: sort both (the SDK does)"
            )
            raise InvalidId(message, field="batch.ids")
    if repeats:
        check_repeats(batch.vectors, batch.ids, kind, repeats)
    else:
        check_kernel_matrix(batch.vectors, batch.ids, kind)


def check_attributes(attributes: Mapping[str, AttributeColumn], count: int, known: Mapping[str, str], *, first_row: int = 0) -> None:
    """As many values as items, of the declared type, under a well-formed name, of the type the space has already.

    Messages count rows from `first_row`.
    """
    for name, column in attributes.items():
        field = f"batch.attributes[{name}]"
        if not _ATTRIBUTE.fullmatch(name) or name in {"item_id", "vector"}:
            message = f"{name!r} is no attribute name: lower snake case, up to 64 characters, not item_id or vector; rename it"
            raise InvalidAttribute(message, field=field)
        if len(column.values) != count:
            message = f"attribute {name!r} has {len(column.values)} values for {count} items; give one an item, or mark it as missing"
            raise InvalidAttribute(message, field=field)
        if known.get(name, column.type) != column.type:
            message = f"attribute {name!r} is of type {known[name]} in this space, not {column.type}; convert it or choose another name"
            raise InvalidAttribute(message, field=field)
        types = _PYTHON_TYPES[column.type]
        for position, value in enumerate(column.values):
            if value is None:
                continue
            fits = isinstance(value, types) and (column.type == "boolean" or not isinstance(value, bool))
            if not fits or (column.type == "integer" and value not in _INT64):
                message = f"attribute {name!r} holds {value!r} in row {first_row + position}, not a {column.type}; convert the column"
                raise InvalidAttribute(message, field=field)


def check_batch(batch: Batch, record: SpaceRecord, max_id_bytes: int, first_row: int = 0) -> None:
    """Everything a batch must be to enter this space; messages count rows from `first_row`, the batch's first row in its upload."""
    if batch.vectors.shape[0] != len(batch.ids):
        message = f"{len(batch.ids):,} ids came with {batch.vectors.shape[0]:,} rows of vectors; give one id a row"
        raise ShapeMismatch(message, field="batch.vectors")
    if record.spec.kernel is None:
        check_width(batch.vectors.shape[1], record.spec.dim, f"space {record.spec.name!r}", "batch.vectors")
    check_ids(batch.ids, max_id_bytes, first_row=first_row)
    if record.spec.kernel is None:
        check_vectors(batch.vectors, record.spec.similarity, batch.ids, first_row=first_row)
    check_attributes(batch.attributes, len(batch.ids), record.attributes, first_row=first_row)
