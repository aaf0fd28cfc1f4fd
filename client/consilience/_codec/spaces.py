"""Spaces and embeddings: answers as results."""

from consilience import _names
from consilience._attributes import from_columns
from consilience._codec.times import to_datetime
from consilience._convert import from_matrix
from consilience._results.base import NO_DETAILS, CallDetails
from consilience._results.space import DeleteResult, Embeddings, Space, SpaceUse, UpsertResult
from consilience.v1 import space_pb2


def decode_space(message: space_pb2.Space, details: CallDetails = NO_DETAILS) -> Space:
    """A Space."""
    return Space(
        name=_names.bare(message.name),
        uid=message.uid,
        kind=_names.SPACE_KINDS.to_name(message.kind),
        dim=message.dim,
        similarity=_names.SIMILARITIES.to_name(message.similarity),
        modality=message.modality,
        model=message.model,
        layer=message.layer,
        group=message.group,
        version=message.version,
        item_count=message.item_count,
        create_time=to_datetime(message, "create_time"),
        update_time=to_datetime(message, "update_time"),
        attributes={entry.name: _names.VALUE_TYPES.to_name(entry.type) for entry in message.attributes},
        dissimilarity=message.dissimilarity,
        repeats=tuple(message.repeats),
        dissimilarity_kind=_names.DISSIMILARITY_KINDS.to_name(message.dissimilarity_kind) if message.dissimilarity_kind else "",
        details=details,
    )


def decode_space_use(message: space_pb2.SpaceUse) -> SpaceUse:
    """A SpaceUse under its bare name."""
    return SpaceUse(_names.bare(message.name), message.uid, message.version)


def decode_upsert(message: space_pb2.UpsertEmbeddingsResponse, details: CallDetails = NO_DETAILS) -> UpsertResult:
    """An UpsertResult."""
    space = decode_space(message.space) if message.HasField("space") else None
    return UpsertResult(message.version, message.inserted, message.replaced, message.unchanged, space, details=details)


def decode_delete(message: space_pb2.DeleteEmbeddingsResponse, details: CallDetails = NO_DETAILS) -> DeleteResult:
    """A DeleteResult."""
    return DeleteResult(message.version, message.deleted, message.absent, details=details)


def decode_embeddings(message: space_pb2.GetEmbeddingsResponse, details: CallDetails = NO_DETAILS) -> Embeddings:
    """One page of Embeddings."""
    return Embeddings(
        space=decode_space_use(message.space),
        ids=list(message.ids),
        vectors=from_matrix(message.vectors),
        attributes=from_columns(message.attributes),
        details=details,
    )
