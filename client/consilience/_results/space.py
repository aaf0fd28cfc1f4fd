"""Spaces as answers tell them, and what uploads and deletes changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consilience._results.base import Result, import_pandas


@dataclass(frozen=True)
class SpaceUse:
    """The version of a space that an answer used; `f"{name}@{version}"` asks for the same again."""

    name: str
    uid: str
    version: int

    def __str__(self) -> str:
        # A group has no version of its own, an array none at all.
        return f"{self.name}@{self.version}" if self.version and not self.name.startswith("groups/") else self.name


@dataclass(frozen=True, eq=False, repr=False)
class Space(Result):
    """A space: all embeddings of items by one encoder.

    Attributes:
        name: the id it was created under.
        uid: random, never reused; a space deleted and made anew has another.
        kind: `vectors` or `kernel`.
        dim: width of its vectors; of a kernel the number of its items.
        similarity: `cosine`, `inner_product` or `squared_l2`; of a kernel `unspecified`.
        modality, model, layer, group: where its vectors come from; empty where unknown.
        version: the newest; 0 while nothing was ever upserted.
        item_count: items in that version.
        create_time, update_time: UTC.
        attributes: type (`string`, `integer`, `real`, `boolean`) of each attribute seen so far.
        dissimilarity: of a kernel, whether smaller is nearer.
        dissimilarity_kind: `euclidean` or `squared_euclidean` where that was declared, else empty.
        repeats: names of the subjects, sessions or raters of a kernel that was measured several times.
    """

    name: str
    uid: str = ""
    kind: str = "vectors"
    dim: int = 0
    similarity: str = "cosine"
    modality: str = ""
    model: str = ""
    layer: str = ""
    group: str = ""
    version: int = 0
    item_count: int = 0
    create_time: datetime | None = None
    update_time: datetime | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    dissimilarity: bool = False
    dissimilarity_kind: str = ""
    repeats: tuple[str, ...] = ()

    @property
    def nearness(self) -> str:
        """How near two items are: the similarity of vectors, or what the entries of a kernel are."""
        if self.kind != "kernel":
            return self.similarity
        return self.dissimilarity_kind or ("dissimilarity" if self.dissimilarity else "similarity")

    def __repr__(self) -> str:
        size = f"kernel of {self.item_count:,} items" if self.kind == "kernel" else f"{self.item_count:,} items x {self.dim}"
        told = [f"space {self.name}@{self.version}", size, self.nearness]
        told += [f"{len(self.repeats)} repeats"] if self.repeats else []
        return " · ".join([*told, *(text for text in (self.modality, self.model, self.layer) if text)])


@dataclass(frozen=True, eq=False, repr=False)
class UpsertResult(Result):
    """What one upload changed. An upload that changed nothing made no version: `version` is then the one before.

    Attributes:
        version: the version in which the upload is visible.
        inserted, replaced, unchanged: rows that are new, that differ from what was stored, that equal it.
        space: the space after the upload.
        asymmetry: of a kernel, the largest difference between an entry and its mirror image that was averaged away, None for vectors.
    """

    version: int
    inserted: int
    replaced: int
    unchanged: int
    space: Space | None = None
    asymmetry: float | None = None

    def __repr__(self) -> str:
        name = f"{self.space.name}@{self.version}" if self.space else f"version {self.version}"
        told = f"{name} · {self.inserted:,} inserted · {self.replaced:,} replaced · {self.unchanged:,} unchanged"
        if self.space and self.space.kind == "kernel":
            # It is written whole: items that the upload did not name are gone.
            told += f" · {self.space.item_count:,} items in all"
        return f"{told} · asymmetry up to {self.asymmetry:.3g} averaged" if self.asymmetry else told


@dataclass(frozen=True, eq=False, repr=False)
class DeleteResult(Result):
    """What one delete of items changed.

    Attributes:
        version: the version without the items.
        deleted: items that were there.
        absent: ids that were not.
    """

    version: int
    deleted: int
    absent: int


@dataclass(frozen=True, eq=False, repr=False)
class ExportResult(Result):
    """Embeddings that were written into a file.

    Attributes:
        space: the version they are of.
        rows: items.
        dim: width of the vectors.
        path: the file.
    """

    space: SpaceUse
    rows: int
    dim: int
    path: str

    def __repr__(self) -> str:
        return f"{self.space} · {self.rows:,} items x {self.dim} in {self.path}"


@dataclass(frozen=True, eq=False, repr=False)
class Embeddings(Result):
    """Items of a space with their vectors, in the order asked for, or in row order (ids in byte order).

    Attributes:
        space: the version they were read from.
        ids: n item ids.
        vectors: (n, dim) float32; of a kernel the rows of its matrix, with R repeats (n, R n): `vectors.reshape(n, R, -1)` parts them.
        attributes: a column of n values for each attribute, None where an item has no value.
    """

    space: SpaceUse
    ids: list[str]
    vectors: NDArray[np.float32]
    attributes: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)

    def to_pandas(self) -> Any:
        """A DataFrame indexed by `item_id`: one column an attribute, and `vector` with an array a row. Needs `consilience[report]`."""
        pd = import_pandas()
        return pd.DataFrame({**self.attributes, "vector": list(self.vectors)}, index=pd.Index(self.ids, name="item_id"))
