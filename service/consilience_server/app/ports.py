"""What the use cases need of the outside; adapters implement these, bootstrap joins them.

Store ports are synchronous and thread-safe (the use cases call them from worker threads); the remote cache is asynchronous.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from consilience_server.bridges.artefact import BridgeArtefact, BridgeListing
from consilience_server.core.kernel_kind import KernelKind
from consilience_server.core.similarity import Similarity

ValueType = Literal["string", "integer", "real", "boolean"]


@dataclass(frozen=True)
class AttributeColumn:
    """One typed attribute of a batch; `values` has one entry an item, None where there is no value."""

    type: ValueType
    values: Sequence[str | int | float | bool | None]


@dataclass(frozen=True)
class SpaceSpec:
    """What a caller decides about a space. `name` is the bare id, `[a-z][a-z0-9-]{0,62}`.

    A kernel space has a `kernel`; its `dim` is 0, for its rows are as wide as it has items, and its `similarity` says nothing. With
    `repeats` a row holds the rows of all of them, one after the other, NaN where a repeat lacks an entry.
    """

    name: str
    dim: int
    similarity: Similarity
    modality: str = ""
    model: str = ""
    layer: str = ""
    group: str = ""
    kernel: KernelKind | None = None
    repeats: tuple[str, ...] = ()

    def row_width(self, items: int) -> int:
        """Columns of what is stored for an item, in a version of so many items."""
        return self.dim if self.kernel is None else items * max(1, len(self.repeats))


@dataclass(frozen=True)
class SpaceRecord:
    """A space as the store knows it; `version` 0 is empty and untouched."""

    spec: SpaceSpec
    uid: str
    version: int
    item_count: int
    create_time: datetime
    update_time: datetime
    attributes: Mapping[str, ValueType] = field(default_factory=dict)

    @property
    def width(self) -> int:
        """Columns of an item's row now, as computations read it: the vector, or the similarities to all items."""
        return self.spec.dim if self.spec.kernel is None else self.item_count


@dataclass(frozen=True)
class Batch:
    """Part of an upload, already validated against the space: finite, right width, ids well-formed and unique within the batch."""

    ids: Sequence[str]
    vectors: NDArray[np.float32]
    attributes: Mapping[str, AttributeColumn] = field(default_factory=dict)


@dataclass(frozen=True)
class UpsertOutcome:
    """What one upload changed. Nothing changed: `version` is the one before."""

    version: int
    inserted: int
    replaced: int
    unchanged: int


@dataclass(frozen=True)
class DeleteOutcome:
    """What one delete changed."""

    version: int
    deleted: int
    absent: int


@dataclass(frozen=True)
class UploadState:
    """How far an upload is; of a committed one also the `UploadDigest` of its rows, empty where an older program committed it."""

    staged_rows: int
    committed: UpsertOutcome | None
    digest: str = ""


@dataclass(frozen=True)
class SpaceData:
    """One version of a space, read whole: rows in byte order of the ids."""

    record: SpaceRecord
    version: int
    ids: NDArray[np.object_]
    vectors: NDArray[np.float32]


@dataclass(frozen=True)
class MaintenanceReport:
    """What one round of maintenance did."""

    compacted_spaces: int
    removed_versions: int
    expired_uploads: int
    removed_bytes: int


class SpaceStore(Protocol):
    """Durable, versioned spaces. One `commit` makes one version; a version is never half visible; `kill -9` loses nothing acknowledged.

    Raises (all methods, where it applies): SpaceNotFound, SpaceExists, VersionExpired, UploadNotFound, UploadConflict, DuplicateId,
    StoreReadOnly, StorageFull, CorruptData, InvalidAttribute (a column whose type differs from the space's).
    """

    @property
    def read_only(self) -> bool:
        """Opened without the writer's lease."""
        ...

    def create(self, spec: SpaceSpec, request_id: str = "") -> SpaceRecord:
        """Make an empty space at version 0 with a fresh uid. The same request_id and spec again answers the same record."""
        ...

    def get(self, name: str) -> SpaceRecord:
        """The space as it is now."""
        ...

    def known(self, name: str) -> SpaceRecord | None:
        """What `get` would answer, where that is known without waiting; else None. Never stale, never blocks."""
        ...

    def list(self, after: str, limit: int) -> Sequence[SpaceRecord]:
        """At most `limit` spaces whose names come after `after`, ascending by name."""
        ...

    def delete(self, name: str, request_id: str = "") -> None:
        """Remove a space with all versions. The same request_id and name again is a success; with another name UploadConflict."""
        ...

    def open_upload(self, space: str, request_id: str) -> UploadState:
        """Begin an upload, or find what an earlier one of this request id has staged or committed."""
        ...

    def stage(self, space: str, request_id: str, first_row: int, batch: Batch) -> int:
        """Keep a batch durably, invisible to readers; returns the rows staged so far. UploadConflict unless `first_row` continues them.

        A batch whose ids repeat staged ones of the same upload is refused with DuplicateId. In a kernel space the first batch decides the
        width of the upload's rows; another width is refused with DimensionMismatch.
        """
        ...

    def commit(self, space: str, request_id: str) -> UpsertOutcome:
        """Make everything staged visible as one version. Repeating it answers the same.

        In a kernel space the version is what is staged and nothing else; an item's attributes that are not sent are carried over.
        """
        ...

    def staged(self, space: str, request_id: str) -> Batch:
        """Everything that an open upload has staged, ids and rows, in the order they came; without attributes."""
        ...

    def upload_state(self, space: str, request_id: str) -> UploadState:
        """How far an upload is; UploadNotFound if never begun or expired."""
        ...

    def discard_upload(self, space: str, request_id: str) -> None:
        """Forget what is staged (after a batch was refused)."""
        ...

    def delete_items(self, space: str, ids: Sequence[str], request_id: str = "") -> DeleteOutcome:
        """Remove items as one version."""
        ...

    def count(self, space: str, version: int) -> int:
        """Items of one version, without reading it: what admission asks before `load`."""
        ...

    def load(self, space: str, version: int = 0) -> SpaceData:
        """Read one version whole; 0 is the newest."""
        ...

    def attributes(self, space: str, version: int, ids: Sequence[str]) -> Mapping[str, AttributeColumn]:
        """All attributes of these items, in the order of `ids`."""
        ...

    def pin(self, uid: str, version: int) -> AbstractContextManager[None]:
        """While the context is open, maintenance keeps this version."""
        ...

    def maintain(self, keep_seconds: float, upload_seconds: float) -> MaintenanceReport:
        """Compact; remove unpinned versions older than `keep_seconds` (never the newest) and uploads idle for `upload_seconds`."""
        ...

    def sizes(self) -> Mapping[str, int]:
        """`spaces`, `versions`, `bytes`: for the gauges."""
        ...

    def close(self) -> None:
        """Give back the lease and all handles."""
        ...


class BridgeStore(Protocol):
    """Immutable bridge artefacts by name. Raises BridgeNotFound, BridgeExists, StoreReadOnly, StorageFull, CorruptData."""

    def put(self, artefact: BridgeArtefact) -> None:
        """Keep a new bridge; atomically: it is there whole or not at all."""
        ...

    def get(self, name: str) -> BridgeArtefact:
        """Read one, its digest checked."""
        ...

    def list(self, after: str, limit: int) -> Sequence[BridgeListing]:
        """At most `limit` bridges whose names come after `after`, ascending; no map is read."""
        ...

    def delete(self, name: str, request_id: str = "") -> None:
        """Remove one. The same request_id and name again is a success; with another name UploadConflict."""
        ...

    def exists(self, name: str) -> bool:
        """Whether the name is taken."""
        ...

    def uid(self, name: str) -> str:
        """The uid of the bridge that has the name now, without reading its map: cheap enough for every request."""
        ...


OperationState = Literal["running", "done", "failed", "cancelled", "aborted"]


@dataclass(frozen=True)
class OperationRecord:
    """A piece of work that outlasts its call. `response` is the encoded answer once done; `error` is (reason, message) once failed."""

    name: str
    kind: str
    state: OperationState
    progress: float
    create_time: datetime
    update_time: datetime
    request: bytes = b""
    response: bytes = b""
    error: tuple[str, str] | None = None


class OperationStore(Protocol):
    """Operations beside the store; they never vanish with the process."""

    def put(self, record: OperationRecord) -> None:
        """Insert or replace by name."""
        ...

    def get(self, name: str) -> OperationRecord:
        """Read one; OperationNotFound."""
        ...

    def list(self, after: str, limit: int) -> Sequence[OperationRecord]:
        """At most `limit` operations after the name `after`, ascending by name."""
        ...

    def delete(self, name: str) -> None:
        """Forget one; OperationNotFound."""
        ...

    def find_request(self, kind: str, request_id: str) -> str | None:
        """The operation that an earlier call of this request id started, if any."""
        ...

    def bind_request(self, kind: str, request_id: str, name: str) -> None:
        """Remember which operation a request id started."""
        ...

    def abort_running(self) -> int:
        """At start-up: what was running when the process died becomes `aborted` (SERVER_RESTARTED); returns how many."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...


class RemoteCache(Protocol):
    """The second tier. Whatever goes wrong is a miss, counted and quick; never an exception, never a wrong value."""

    async def get(self, key: str) -> bytes | None:
        """The value whose digest checks out, or None."""
        ...

    async def put(self, key: str, value: bytes) -> None:
        """Keep a value, best effort."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...


CacheOutcome = Literal["hit", "miss", "joined", "error", "open"]
MemoryKind = Literal["snapshots", "tables", "requests", "cache", "budget"]
Stage = Literal["queue", "load", "scan", "statistics", "cache", "encode"]


class Metrics(Protocol):
    """What the use cases report; names and labels as DESIGN's table has them. Every method is cheap and never raises."""

    def stage(self, stage: Stage, operation: str, seconds: float) -> None:
        """`consilience_stage_seconds`."""
        ...

    def cache(self, tier: Literal["memory", "redis"], outcome: CacheOutcome) -> None:
        """`consilience_cache_requests_total`."""
        ...

    def rows(self, backend: str, certified: int, refined: int) -> None:
        """`consilience_certified_rows_total`, `consilience_refined_rows_total`."""
        ...

    def batch(self, backend: str, queries: int) -> None:
        """`consilience_batch_queries`."""
        ...

    def rejected(self, reason: str) -> None:
        """`consilience_rejected_total`."""
        ...

    def memory(self, kind: MemoryKind, value: int) -> None:
        """`consilience_memory_bytes`."""
        ...

    def store(self, spaces: int, versions: int, size: int) -> None:
        """`consilience_spaces`, `consilience_store_versions`, `consilience_store_bytes`."""
        ...

    def operations(self, operation: str, state: str, change: int) -> None:
        """`consilience_operations`, a gauge moved by `change`."""
        ...
