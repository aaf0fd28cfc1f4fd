"""Spaces, uploads and embeddings of the contract to and from those of the use cases."""

from consilience.v1 import space_pb2
from consilience_server.app.ports import Batch, SpaceRecord, SpaceSpec, UpsertOutcome
from consilience_server.app.spaces import EmbeddingsPage
from consilience_server.core.errors import InvalidArgument
from consilience_server.core.kernel_kind import KernelKind
from consilience_server.core.similarity import Similarity
from consilience_server.rpc.convert.attributes import read_attributes, write_attribute_types, write_attributes
from consilience_server.rpc.convert.enums import served
from consilience_server.rpc.convert.matrix import read_vectors, write_matrix
from consilience_server.rpc.convert.names import space_name, space_use
from consilience_server.rpc.convert.times import timestamp

SIMILARITIES = {
    space_pb2.SIMILARITY_COSINE: Similarity.COSINE,
    space_pb2.SIMILARITY_INNER_PRODUCT: Similarity.INNER_PRODUCT,
    space_pb2.SIMILARITY_SQUARED_L2: Similarity.SQUARED_L2,
}
_SIMILARITY_VALUES = {name: value for value, name in SIMILARITIES.items()}
_KINDS = {space_pb2.SPACE_KIND_VECTORS: "vectors", space_pb2.SPACE_KIND_KERNEL: "kernel"}
_DISSIMILARITIES = {
    space_pb2.DISSIMILARITY_KIND_UNSPECIFIED: KernelKind.DISSIMILARITY,
    space_pb2.DISSIMILARITY_KIND_EUCLIDEAN: KernelKind.EUCLIDEAN,
    space_pb2.DISSIMILARITY_KIND_SQUARED_EUCLIDEAN: KernelKind.SQUARED_EUCLIDEAN,
}
_DISSIMILARITY_VALUES = {kind: value for value, kind in _DISSIMILARITIES.items()}
_LONGEST_LABEL = 256


def read_similarity(value: int, field: str) -> Similarity:
    """COSINE, INNER_PRODUCT or SQUARED_L2; InvalidArgument where unspecified."""
    return served(space_pb2.Similarity, value, SIMILARITIES, field, what="similarity")


def write_similarity(similarity: Similarity) -> space_pb2.Similarity:
    """The contract's value."""
    return _SIMILARITY_VALUES[similarity]


def read_kernel(dissimilarity: bool, dissimilarity_kind: int, field: str) -> KernelKind:  # noqa: FBT001 - the contract's field
    """What the entries of a kernel are; InvalidArgument where similarities are said to be distances."""
    kind = served(
        space_pb2.DissimilarityKind, dissimilarity_kind, _DISSIMILARITIES, f"{field}.dissimilarity_kind", what="kind of dissimilarity"
    )
    if dissimilarity:
        return kind
    if kind is not KernelKind.DISSIMILARITY:
        raise InvalidArgument(
            f"the kind of dissimilarity is {kind}, but the entries are declared similarities; declare dissimilarity",
            field=f"{field}.dissimilarity",
        )
    return KernelKind.SIMILARITY


def read_spec(request: space_pb2.CreateSpaceRequest) -> SpaceSpec:
    """What a caller decides about a new space."""
    space = request.space
    kind = served(space_pb2.SpaceKind, space.kind, _KINDS, "space.kind", what="kind")
    for label in ("modality", "model", "layer", "group"):
        value = getattr(space, label)
        if len(value) > _LONGEST_LABEL or not value.isprintable():
            raise InvalidArgument(f"{label} must be printable and at most {_LONGEST_LABEL} characters", field=f"space.{label}")
    kernel = None
    if kind == "kernel":
        kernel = read_kernel(space.dissimilarity, space.dissimilarity_kind, "space")
        if space.similarity:
            raise InvalidArgument("a kernel's entries say how near items are; leave similarity unspecified", field="space.similarity")
    elif space.dissimilarity or space.dissimilarity_kind:
        raise InvalidArgument("a space of vectors has no dissimilarities; declare kind KERNEL", field="space.dissimilarity")
    return SpaceSpec(
        name=request.space_id,
        dim=space.dim,
        similarity=Similarity.INNER_PRODUCT if kernel else read_similarity(space.similarity, "space.similarity"),
        kernel=kernel,
        repeats=tuple(space.repeats),
        modality=space.modality,
        model=space.model,
        layer=space.layer,
        group=space.group,
    )


def write_space(record: SpaceRecord) -> space_pb2.Space:
    """A space as the store knows it."""
    spec = record.spec
    return space_pb2.Space(
        name=space_name(spec.name),
        uid=record.uid,
        kind=space_pb2.SPACE_KIND_VECTORS if spec.kernel is None else space_pb2.SPACE_KIND_KERNEL,
        dim=record.width,
        similarity=write_similarity(spec.similarity) if spec.kernel is None else space_pb2.SIMILARITY_UNSPECIFIED,
        dissimilarity=spec.kernel is not None and spec.kernel.is_dissimilarity,
        dissimilarity_kind=_DISSIMILARITY_VALUES.get(spec.kernel or KernelKind.SIMILARITY, space_pb2.DISSIMILARITY_KIND_UNSPECIFIED),
        repeats=spec.repeats,
        modality=spec.modality,
        model=spec.model,
        layer=spec.layer,
        group=spec.group,
        version=record.version,
        item_count=record.item_count,
        create_time=timestamp(record.create_time),
        update_time=timestamp(record.update_time),
        attributes=write_attribute_types(record.attributes),
    )


def read_batch(batch: space_pb2.UploadBatch) -> Batch:
    """One batch of an upload: its matrix sound in itself; whether it fits the space is for the use case."""
    return Batch(tuple(batch.ids), read_vectors(batch.vectors, "batch.vectors"), read_attributes(batch.attributes, "batch.attributes"))


def write_upsert(outcome: UpsertOutcome, record: SpaceRecord) -> space_pb2.UpsertEmbeddingsResponse:
    """What an upload changed."""
    return space_pb2.UpsertEmbeddingsResponse(
        version=outcome.version,
        inserted=outcome.inserted,
        replaced=outcome.replaced,
        unchanged=outcome.unchanged,
        space=write_space(record),
    )


def write_page(page: EmbeddingsPage) -> space_pb2.GetEmbeddingsResponse:
    """Some items of one version."""
    return space_pb2.GetEmbeddingsResponse(
        space=space_use(page.use),
        ids=page.ids,
        vectors=write_matrix(page.vectors),
        attributes=write_attributes(page.attributes),
        next_page_token=page.next_page_token,
    )
