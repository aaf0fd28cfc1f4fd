"""Qdrant collections: scrolled page by page in the order of their point ids. Needs `consilience[qdrant]`."""

import importlib
import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from consilience._batches import Block, to_block
from consilience.errors import InvalidArgumentError, MissingExtraError
from consilience.ingest.store_pages import Columns, asked, page_rows, rows_from
from consilience.ingest.store_url import StoreUrl

_SIMILARITIES = {"Cosine": "cosine", "Dot": "inner_product", "Euclid": "squared_l2"}
_POINT_ID = "id"


def open_qdrant(url: StoreUrl, id_column: str, attribute_columns: Sequence[str] | None) -> "QdrantSource":
    """The points of a collection; `?vector=` names one of several vectors, `?filter=` is a filter of Qdrant's in JSON.

    Raises:
        InvalidArgumentError: no such collection, vector or filter.
        MissingExtraError: qdrant-client is not installed.
        Unavailable: nobody answers.
    """
    client = connect(url)
    try:
        return QdrantSource(client, url, id_column, attribute_columns)
    except BaseException:
        client.close()
        raise


def connect(url: StoreUrl) -> Any:
    """A client of the store; its key comes from QDRANT_API_KEY."""
    try:
        # By name: an extra, which type checkers of a base install lack.
        qdrant_client = importlib.import_module("qdrant_client")
    except ImportError as error:
        raise MissingExtraError("qdrant:// needs qdrant-client: pip install 'consilience[qdrant]'", reason="EXTRA_MISSING") from error
    if url.path:
        if not os.path.isdir(url.path):  # noqa: PTH112 - the text of an address
            raise InvalidArgumentError(f"{url}: there is no folder {url.path}", field="path")
        with asked(url, "the folder cannot be opened", (RuntimeError, ValueError, OSError), ()):
            return qdrant_client.QdrantClient(path=url.path)
    key = os.environ.get("QDRANT_API_KEY") or None
    return qdrant_client.QdrantClient(host=url.host, port=url.port, https=url.tls, api_key=key, check_compatibility=False)


class QdrantSource:
    """The points of a collection that have the vector; only the page being sent is in memory.

    Args:
        client: a `QdrantClient`.
        url: names the collection, the vector and the filter.
        id_column: `id` for the point's own, or a payload key.
        attribute_columns: as in `store_pages.Columns`.
    """

    def __init__(self, client: Any, url: StoreUrl, id_column: str, attribute_columns: Sequence[str] | None) -> None:
        self._client = client
        self._url = url
        self._id_column = id_column
        self._columns = Columns(attribute_columns)
        self._models = importlib.import_module("qdrant_client.models")
        with self._asked("there is no such collection"):
            vectors = client.get_collection(url.collection).config.params.vectors
        self._vector, described = _described(vectors, url)
        self.dim = int(described.size)
        self.similarity = _SIMILARITIES.get(described.distance.value, "")
        self._filter = self._read_filter(url.options.get("filter", ""))
        with self._asked("the filter is refused"):
            self.expected_rows = int(client.count(url.collection, count_filter=self._filter, exact=True).count)
        # Where pages begin, as far as they were read: row to the offset that Qdrant told.
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
        """The points from `first_row` on, from the nearest page known to begin before it."""
        row = max(place for place in self._places if place <= first_row)
        step, whole = page_rows(self.dim), row == 0 and first_row < page_rows(self.dim)
        offset = self._places[row]
        while True:
            needed = row + step > first_row
            points, offset = self._page(offset, step, whole=needed)
            if needed and points:
                yield rows_from(self._block(points), row, first_row)
            row += len(points)
            if offset is None:
                break
            self._places[row] = offset
        if whole:
            self._columns.check_seen(self._url)

    def _page(self, offset: Any, step: int, *, whole: bool) -> tuple[list[Any], Any]:
        """Points and the next offset; without payload and vectors where they are only passed over."""
        names = self._columns.names
        payload: Any = whole and (names is None or [*names, *([] if self._id_column == _POINT_ID else [self._id_column])])
        vectors: Any = whole and ([self._vector] if self._vector else True)
        with self._asked("it cannot be read"):
            points, following = self._client.scroll(
                self._url.collection,
                scroll_filter=self._filter,
                limit=step,
                offset=offset,
                with_payload=payload if payload != [] else False,
                with_vectors=vectors,
            )
        return points, following

    def _block(self, points: list[Any]) -> Block:
        vectors = [point.vector[self._vector] if self._vector else point.vector for point in points]
        payloads = [point.payload or {} for point in points]
        return to_block(self._ids(points, payloads), np.array(vectors, dtype=np.float32), self._columns.of(self._without_id(payloads)))

    def _ids(self, points: list[Any], payloads: list[dict[str, Any]]) -> list[str]:
        if self._id_column == _POINT_ID:
            return [str(point.id) for point in points]
        for point, payload in zip(points, payloads, strict=True):
            if not isinstance(payload.get(self._id_column), str | int):
                raise InvalidArgumentError(
                    f"point {point.id} of {self._url} has no text or number under {self._id_column!r} to be its id", field="id_column"
                )
        return [str(payload[self._id_column]) for payload in payloads]

    def _without_id(self, payloads: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if self._id_column == _POINT_ID or self._id_column in (self._columns.names or ()):
            return payloads
        return [{name: value for name, value in payload.items() if name != self._id_column} for payload in payloads]

    def _read_filter(self, text: str) -> Any:
        """The caller's filter, and that a point has the vector where there are several."""
        models, must = self._models, []
        if text:
            try:
                must.append(models.Filter.model_validate_json(text))
            except ValueError as error:
                raise InvalidArgumentError(
                    f"{self._url}: filter is no filter of Qdrant's in JSON: {str(error).splitlines()[0]}", field="path"
                ) from None
        if self._vector:
            must.append(models.HasVectorCondition(has_vector=self._vector))
        return models.Filter(must=must) if must else None

    def _asked(self, what: str) -> Any:
        exceptions = importlib.import_module("qdrant_client.http.exceptions")
        return asked(self._url, what, (exceptions.UnexpectedResponse, ValueError), (exceptions.ResponseHandlingException,))

    def close(self) -> None:
        """End the connection."""
        self._client.close()


def _described(vectors: Any, url: StoreUrl) -> tuple[str, Any]:
    """Name (empty for the only, unnamed one) and parameters of the vector that the address asks for."""
    asked_for = url.options.get("vector", "")
    if not isinstance(vectors, dict):
        if asked_for or vectors is None:
            told = "its vectors are sparse" if vectors is None else "its one vector has no name"
            raise InvalidArgumentError(f"{url}: there is no vector {asked_for!r}: {told}", field="path")
        name, described = "", vectors
    elif asked_for in vectors or (not asked_for and len(vectors) == 1):
        name = asked_for or next(iter(vectors))
        described = vectors[name]
    else:
        told = f"there is no vector {asked_for!r}" if asked_for else "it has several vectors, or none that is dense"
        raise InvalidArgumentError(f"{url}: {told}; name one with ?vector=: {', '.join(sorted(vectors)) or 'none'}", field="path")
    if described.multivector_config is not None:
        raise InvalidArgumentError(f"{url}: a point has several rows under this vector; a space takes one vector an item", field="path")
    return name, described
