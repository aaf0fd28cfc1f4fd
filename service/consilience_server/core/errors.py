"""The error tree of the server: branch = what a caller would catch, leaf = what happened.

```
DomainError
├── InvalidArgument      InvalidName  InvalidId  DuplicateId  InvalidAttribute  DimensionMismatch  DtypeNotAccepted  ShapeMismatch
│                        NotFinite  ZeroVector  ConstantFeatures  InvalidK  TooFewItems  TooFewPairs  NoCommonItems
│                        UnknownMetric  UnknownMethod  InvalidPageToken  MessageTooLarge  InvalidKernel  KernelSpace
├── NotFound             SpaceNotFound  BridgeNotFound  ItemNotFound  OperationNotFound  UploadNotFound  WatchNotFound
├── AlreadyExists        SpaceExists  BridgeExists  WatchExists
├── FailedPrecondition   VersionExpired  WrongSpace  StoreLocked  StoreReadOnly  StoreTooNew  ExtraMissing  DeviceMissing
│                        BaselineLost  DidNotConverge
├── Aborted              UploadConflict  ServerRestarted
├── ResourceExhausted    MemoryBudget  Overloaded  StorageFull  TooManyWatches
├── Unauthenticated
├── NotServed
├── Unavailable          ShuttingDown
├── Cancelled
├── DeadlineExceeded
└── CorruptData
```

`rpc/errors.py` maps branches to gRPC codes in one table. `reason` is the stable name of `protos/consilience/v1/error.proto`.
"""

from typing import ClassVar


class DomainError(Exception):
    """What every refusal of the server derives from.

    Args:
        message: one or two sentences: what is wrong, with the values, and the remedy.
        field: the request's field at fault, in the contract's spelling (`spec.ks`, `batch.vectors`); None where there is none.
        retry_after: seconds after which a retry makes sense; None where waiting does not help.
        metadata: the message's values once more, for programs.
    """

    reason: ClassVar[str] = "INTERNAL"

    def __init__(self, message: str, *, field: str | None = None, retry_after: float | None = None, **metadata: object) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.retry_after = retry_after
        self.metadata = {key: str(value) for key, value in metadata.items()}


class InvalidArgument(DomainError):
    """The request can never succeed as it is."""

    reason = "INVALID_ARGUMENT"


class InvalidName(InvalidArgument):
    """A space or bridge id that is malformed or taken by the other kind."""

    reason = "INVALID_NAME"


class InvalidId(InvalidArgument):
    """An item id that is empty, too long or has control characters."""

    reason = "INVALID_ID"


class DuplicateId(InvalidArgument):
    """An item id twice in one upload."""

    reason = "DUPLICATE_ID"


class InvalidAttribute(InvalidArgument):
    """An attribute column of the wrong length, name or type."""

    reason = "INVALID_ATTRIBUTE"


class DimensionMismatch(InvalidArgument):
    """Vectors of another width than the space has."""

    reason = "DIMENSION_MISMATCH"


class DtypeNotAccepted(InvalidArgument):
    """A dtype that uploads do not take."""

    reason = "DTYPE_NOT_ACCEPTED"


class ShapeMismatch(InvalidArgument):
    """Bytes, rows, columns or ids that do not fit each other."""

    reason = "SHAPE_MISMATCH"


class NotFinite(InvalidArgument):
    """NaN or infinity among the values."""

    reason = "NOT_FINITE"


class ZeroVector(InvalidArgument):
    """A zero vector where cosine needs a direction."""

    reason = "ZERO_VECTOR"


class ConstantFeatures(InvalidArgument):
    """All items have the same vector, so the metric is undefined."""

    reason = "CONSTANT_FEATURES"


class InvalidK(InvalidArgument):
    """K below 1, not below the number of items, or above the limit."""

    reason = "INVALID_K"


class TooFewItems(InvalidArgument):
    """Fewer items than the metric is defined for."""

    reason = "TOO_FEW_ITEMS"


class TooFewPairs(InvalidArgument):
    """Fewer known pairs than the bridge needs."""

    reason = "TOO_FEW_PAIRS"


class NoCommonItems(InvalidArgument):
    """The spaces share no item id."""

    reason = "NO_COMMON_ITEMS"


class UnknownMetric(InvalidArgument):
    """A metric that the contract does not know."""

    reason = "UNKNOWN_METRIC"


class UnknownMethod(InvalidArgument):
    """A bridge method or correction that the contract does not know."""

    reason = "UNKNOWN_METHOD"


class InvalidPageToken(InvalidArgument):
    """A page token that this server did not write for these arguments."""

    reason = "INVALID_PAGE_TOKEN"


class MessageTooLarge(InvalidArgument):
    """A request or its answer beyond the published message size."""

    reason = "MESSAGE_TOO_LARGE"


class InvalidKernel(InvalidArgument):
    """A matrix that is no kernel of its items: not square, not symmetric, or with a diagonal that contradicts its sign."""

    reason = "INVALID_KERNEL"


class KernelSpace(InvalidArgument):
    """A kernel space where vectors are needed: it holds a matrix over its items instead."""

    reason = "KERNEL_SPACE"


class NotFound(DomainError):
    """Something named does not exist."""

    reason = "ITEM_NOT_FOUND"


class SpaceNotFound(NotFound):
    """No such space."""

    reason = "SPACE_NOT_FOUND"


class BridgeNotFound(NotFound):
    """No such bridge."""

    reason = "BRIDGE_NOT_FOUND"


class ItemNotFound(NotFound):
    """No such item in the space at this version."""

    reason = "ITEM_NOT_FOUND"


class OperationNotFound(NotFound):
    """No such operation."""

    reason = "OPERATION_NOT_FOUND"


class UploadNotFound(NotFound):
    """No such upload: never begun, or expired."""

    reason = "UPLOAD_NOT_FOUND"


class WatchNotFound(NotFound):
    """No such watch."""

    reason = "WATCH_NOT_FOUND"


class AlreadyExists(DomainError):
    """Something of this name is there already."""

    reason = "SPACE_EXISTS"


class SpaceExists(AlreadyExists):
    """A space of this name is there already."""

    reason = "SPACE_EXISTS"


class BridgeExists(AlreadyExists):
    """A bridge of this name is there already."""

    reason = "BRIDGE_EXISTS"


class WatchExists(AlreadyExists):
    """A watch of this name is there already."""

    reason = "WATCH_EXISTS"


class FailedPrecondition(DomainError):
    """The state of the server does not allow it."""

    reason = "VERSION_EXPIRED"


class VersionExpired(FailedPrecondition):
    """The pinned version was cleaned up, or never was."""

    reason = "VERSION_EXPIRED"


class WrongSpace(FailedPrecondition):
    """A bridge used on a space (or direction) it was not fitted for."""

    reason = "WRONG_SPACE"


class StoreLocked(FailedPrecondition):
    """Another process holds the writer's lease on the store root."""

    reason = "STORE_LOCKED"


class StoreReadOnly(FailedPrecondition):
    """A write to a store opened for reading."""

    reason = "STORE_READ_ONLY"


class StoreTooNew(FailedPrecondition):
    """The store was written by a newer format than this program knows."""

    reason = "STORE_TOO_NEW"


class ExtraMissing(FailedPrecondition):
    """A package of an optional extra is not installed."""

    reason = "EXTRA_MISSING"


class DeviceMissing(FailedPrecondition):
    """What was asked for needs a GPU that this server does not have or use."""

    reason = "DEVICE_MISSING"


class BaselineLost(FailedPrecondition):
    """Too little is left of what a watch's baseline was taken of."""

    reason = "BASELINE_LOST"


class DidNotConverge(FailedPrecondition):
    """A fit without pairs that found no answer two independent halves of the items agree on."""

    reason = "DID_NOT_CONVERGE"


class Aborted(DomainError):
    """The work was given up; begin it again."""

    reason = "SERVER_RESTARTED"


class UploadConflict(Aborted):
    """A batch that does not continue what is staged, or a request id reused for other content."""

    reason = "UPLOAD_CONFLICT"


class ServerRestarted(Aborted):
    """The server restarted while the operation ran."""

    reason = "SERVER_RESTARTED"


class ResourceExhausted(DomainError):
    """A budget is used up."""

    reason = "OVERLOADED"


class MemoryBudget(ResourceExhausted):
    """The estimate of the work exceeds the memory budget."""

    reason = "MEMORY_BUDGET"


class Overloaded(ResourceExhausted):
    """Too much work is waiting already."""

    reason = "OVERLOADED"


class StorageFull(ResourceExhausted):
    """The disk is full; nothing was changed."""

    reason = "STORAGE_FULL"


class TooManyWatches(ResourceExhausted):
    """As many watches as the server keeps."""

    reason = "TOO_MANY_WATCHES"


class Unauthenticated(DomainError):
    """No API key, or one that this server does not know."""

    reason = "UNAUTHENTICATED"


class NotServed(DomainError):
    """Part of the contract that this version does not serve yet."""

    reason = "NOT_SERVED"


class Unavailable(DomainError):
    """The server cannot take requests now."""

    reason = "SHUTTING_DOWN"


class ShuttingDown(Unavailable):
    """The server is draining."""

    reason = "SHUTTING_DOWN"


class Cancelled(DomainError):
    """The caller left."""

    reason = "CANCELLED"


class DeadlineExceeded(DomainError):
    """The caller's deadline passed."""

    reason = "DEADLINE_EXCEEDED"


class CorruptData(DomainError):
    """Stored bytes that fail their own check."""

    reason = "CORRUPT_DATA"
