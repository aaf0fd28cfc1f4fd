"""Milvus collections: iterated batch by batch in the order of their primary keys. Needs `consilience[milvus]`."""

import importlib
import json
import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consilience._batches import Block, to_block
from consilience.errors import InvalidArgumentError, MissingExtraError
from consilience.ingest.store_pages import Columns, asked, page_rows, rows_from
from consilience.ingest.store_url import StoreUrl

_SIMILARITIES = {"COSINE": "cosine", "IP": "inner_product", "L2": "squared_l2"}
_VECTORS = {"FLOAT_VECTOR", "FLOAT16_VECTOR", "BFLOAT16_VECTOR"}
_SCALARS = {"BOOL", "INT8", "INT16", "INT32", "INT64", "FLOAT", "DOUBLE", "VARCHAR", "STRING"}
_PRIMARY_KEY = "id"


def open_milvus(url: StoreUrl, id_column: str, attribute_columns: Sequence[str] | None) -> "MilvusSource":
    """The entities of a collection; `?field=` names one of several vector fields, `?filter=` is a filter of Milvus's, `?db=` a database.

    Raises:
        InvalidArgumentError: no such collection, field or filter; a collection that is not loaded.
        MissingExtraError: pymilvus, or for a file milvus-lite, is not installed.
        Unavailable: nobody answers.
    """
    client = connect(url)
    try:
        return MilvusSource(client, url, id_column, attribute_columns)
    except BaseException:
        client.close()
        raise


def connect(url: StoreUrl) -> Any:
    """A client of the store; its token comes from MILVUS_TOKEN."""
    try:
        # By name: an extra, which type checkers of a base install lack.
        pymilvus = importlib.import_module("pymilvus")
    except ImportError as error:
        raise MissingExtraError("milvus:// needs pymilvus: pip install 'consilience[milvus]'", reason="EXTRA_MISSING") from error
    if url.path:
        if not os.path.exists(url.path):  # noqa: PTH110 - the text of an address
            # Milvus Lite would make an empty store there.
            raise InvalidArgumentError(f"{url}: there is no file {url.path}", field="path")
        try:
            importlib.import_module("milvus_lite")
        except ImportError as error:
            raise MissingExtraError("a Milvus file needs milvus-lite: pip install milvus-lite", reason="EXTRA_MISSING") from error
        where = url.path
    else:
        where = f"{'https' if url.tls else 'http'}://{url.host}:{url.port}"
    with asked(url, "it cannot be opened", (), (pymilvus.exceptions.MilvusException,)):
        return pymilvus.MilvusClient(uri=where, token=os.environ.get("MILVUS_TOKEN", ""), db_name=url.options.get("db", ""))


class MilvusSource:
    """The entities of a collection; only the batch being sent is in memory.

    Args:
        client: a `MilvusClient`.
        url: names the collection, the vector field and the filter.
        id_column: `id` for the primary key, whatever its name, or another field.
        attribute_columns: as in `store_pages.Columns`, of the schema's fields.
    """

    def __init__(self, client: Any, url: StoreUrl, id_column: str, attribute_columns: Sequence[str] | None) -> None:
        self._client = client
        self._url = url
        self._filter = url.options.get("filter", "")
        with self._asked("there is no such collection"):
            schema = client.describe_collection(url.collection)
            state = client.get_load_state(url.collection)["state"]
        if state.name != "Loaded":
            raise InvalidArgumentError(f"{url} is not loaded ({state.name}); load the collection in Milvus first", field="path")
        fields = {field["name"]: field["type"].name for field in schema["fields"]}
        self._key = next(field["name"] for field in schema["fields"] if field.get("is_primary"))
        self._ids = self._key if id_column == _PRIMARY_KEY else self._field(id_column, fields, "id_column")
        self._vector = _vector_field(fields, url)
        self._kind = fields[self._vector]
        self.dim = int(next(field["params"]["dim"] for field in schema["fields"] if field["name"] == self._vector))
        self.similarity = self._metric()
        own = {self._key, self._ids, self._vector}
        scalars = [name for name, kind in fields.items() if kind in _SCALARS and name not in own]
        for column in attribute_columns or ():
            self._field(column.partition(":")[0], fields, "attribute_columns")
        self._columns = Columns(scalars if attribute_columns is None else attribute_columns)
        with self._asked("the filter is refused"):
            counted = client.query(url.collection, filter=self._filter, output_fields=["count(*)"])
        self.expected_rows = int(counted[0]["count(*)"])
        # Where batches begin, as far as they were read: row to the last key before it.
        self._places: dict[int, Any] = {0: None}

    @property
    def rows(self) -> int:
        """0: others may come or go while they are read."""
        return 0

    @property
    def nbytes(self) -> int:
        """About the bytes of the vectors."""
        return 4 * self.expected_rows * self.dim

    def blocks(self, first_row: int) -> Iterator[Block]:
        """The entities from `first_row` on, from the nearest batch known to begin before it."""
        row = max(place for place in self._places if place <= first_row)
        step = page_rows(self.dim)
        for entities in self._batches(self._places[row], step, passed_over=first_row - row - (first_row - row) % step):
            if row + len(entities) > first_row:
                yield rows_from(self._block(entities), row, first_row)
            row += len(entities)
            self._places[row] = entities[-1][self._key]

    def _batches(self, last: Any, step: int, passed_over: int) -> Iterator[list[Any]]:
        """Batches behind a key; of the first `passed_over` entities only the keys are read."""
        while passed_over > 0:
            with self._asked("it cannot be read"):
                iterator = self._iterate(last, step, [self._key])
                entities = list(iterator.next())
                iterator.close()
            if not entities:
                return
            passed_over -= len(entities)
            last = entities[-1][self._key]
            yield entities
        fields = list(dict.fromkeys([self._key, self._ids, self._vector, *(self._columns.names or ())]))
        with self._asked("it cannot be read"):
            iterator = self._iterate(last, step, fields)
        try:
            while True:
                with self._asked("it cannot be read"):
                    entities = list(iterator.next())
                if not entities:
                    return
                yield entities
        finally:
            iterator.close()

    def _iterate(self, last: Any, step: int, fields: list[str]) -> Any:
        behind = "" if last is None else f"{self._key} > {json.dumps(last)}"
        both = " and ".join(f"({part})" for part in (self._filter, behind) if part)
        return self._client.query_iterator(self._url.collection, batch_size=step, filter=both, output_fields=fields)

    def _block(self, entities: list[Any]) -> Block:
        vectors = _to_array([entity[self._vector] for entity in entities], self._kind)
        ids = [str(entity[self._ids]) for entity in entities]
        return to_block(ids, vectors, self._columns.of(entities))

    def _metric(self) -> str:
        with self._asked("its indexes cannot be read"):
            for index in self._client.list_indexes(self._url.collection):
                told = self._client.describe_index(self._url.collection, index)
                if told["field_name"] == self._vector:
                    return _SIMILARITIES.get(told["metric_type"], "")
        return ""

    def _field(self, name: str, fields: dict[str, str], argument: str) -> str:
        if fields.get(name) not in _SCALARS:
            told = f"is of type {fields[name]}" if name in fields else "is not there"
            offered = ", ".join(sorted(field for field, kind in fields.items() if kind in _SCALARS))
            raise InvalidArgumentError(f"{self._url}: field {name!r} {told}; there are {offered}", field=argument)
        return name

    def _asked(self, what: str) -> Any:
        exceptions = importlib.import_module("pymilvus.exceptions")
        losses = (exceptions.MilvusUnavailableException, exceptions.ConnectError)
        return asked(self._url, what, (exceptions.MilvusException,), losses)

    def close(self) -> None:
        """End the connection."""
        self._client.close()


def _vector_field(fields: dict[str, str], url: StoreUrl) -> str:
    offered = [name for name, kind in fields.items() if kind in _VECTORS]
    asked_for = url.options.get("field", "")
    if asked_for in offered or (not asked_for and len(offered) == 1):
        return asked_for or offered[0]
    told = f"there is no field {asked_for!r} of dense vectors" if asked_for else "it has several fields of vectors, or none that is dense"
    raise InvalidArgumentError(f"{url}: {told}; name one with ?field=: {', '.join(sorted(offered)) or 'none'}", field="path")


def _to_array(vectors: list[Any], kind: str) -> NDArray[np.float32]:
    """(n, dim) float32; 16-bit vectors come as bytes, little-endian."""
    if kind == "FLOAT_VECTOR" or not isinstance(vectors[0], bytes):
        return np.array(vectors, dtype=np.float32)
    words = np.frombuffer(b"".join(vectors), dtype="<u2").reshape(len(vectors), -1)
    if kind == "FLOAT16_VECTOR":
        return words.view("<f2").astype(np.float32)
    return (words.astype("<u4") << 16).view("<f4")
