"""Classifications of the contract to and from those of the use case."""

from consilience.v1 import classify_pb2, match_pb2
from consilience_server.app.classification_query import Classification, ClassifyQuery, Prototypes
from consilience_server.core.classification import Accuracy
from consilience_server.core.errors import DuplicateId, InvalidArgument
from consilience_server.rpc.convert.bridge import write_measured
from consilience_server.rpc.convert.matrix import read_vectors, write_matrix
from consilience_server.rpc.convert.names import bridge_id, bridge_name, space_query, space_use

_CORRECTION_K = 10
_PERMUTATIONS = 999
_CSLS = {match_pb2.CORRECTION_UNSPECIFIED: False, match_pb2.CORRECTION_NONE: False, match_pb2.CORRECTION_CSLS: True}


def read_classify(request: classify_pb2.ClassifyRequest) -> ClassifyQuery:
    """What to classify, the contract's defaults filled in.

    Raises:
        InvalidArgument: another correction.
        DuplicateId: a class twice.
        DtypeNotAccepted, ShapeMismatch: vectors unsound in themselves.
    """
    if request.correction not in _CSLS:
        raise InvalidArgument("classes are scored as they are or by CSLS; choose none or csls", field="correction")
    return ClassifyQuery(
        prototypes=_prototypes(request.prototypes),
        items=space_query(request.items, "items"),
        bridge=bridge_id(request.bridge, "bridge") if request.bridge else "",
        labels_attribute=request.labels_attribute,
        item_ids=tuple(request.item_ids),
        csls=_CSLS[request.correction],
        correction_k=request.correction_k or _CORRECTION_K,
        top_ks=tuple(request.top_ks),
        permutations=request.permutations if request.HasField("permutations") else _PERMUTATIONS,
        seed=request.seed,
    )


def _prototypes(told: classify_pb2.ClassPrototypes) -> Prototypes:
    items: dict[str, tuple[str, ...]] = {}
    for entry in told.class_items:
        if entry.class_name in items:
            raise DuplicateId(f"class {entry.class_name!r} stands twice; give all its prototypes at once", field="prototypes.class_items")
        items[entry.class_name] = tuple(entry.item_ids)
    return Prototypes(
        space=space_query(told.space, "prototypes.space") if told.HasField("space") else None,
        class_attribute=told.class_attribute,
        class_items=items,
        vectors=read_vectors(told.vectors, "prototypes.vectors") if told.HasField("vectors") else None,
        vector_classes=tuple(told.vector_classes),
    )


def write_classification(found: Classification) -> classify_pb2.Classification:
    """What was predicted, and how right it is."""
    return classify_pb2.Classification(
        classes=found.classes,
        item_ids=found.item_ids.tolist(),
        predictions=found.predictions.ravel().tolist(),
        scores=write_matrix(found.scores),
        similarities=write_matrix(found.similarities),
        accuracy=None if found.accuracy is None else _accuracy(found.accuracy),
        items=space_use(found.items),
        prototypes=None if found.prototypes is None else space_use(found.prototypes),
        bridge=bridge_name(found.bridge),
        fitted_items=found.fitted_items,
        clustered_by=found.clustered_by,
        correction=match_pb2.CORRECTION_CSLS if found.csls else match_pb2.CORRECTION_NONE,
        permutations=found.permutations,
        notes=found.notes,
    )


def _accuracy(told: Accuracy) -> classify_pb2.ClassificationAccuracy:
    return classify_pb2.ClassificationAccuracy(
        accuracy=write_measured(told.accuracy),
        balanced_accuracy=write_measured(told.balanced),
        top_k=[classify_pb2.TopKAccuracy(k=k, accuracy=write_measured(each)) for k, each in told.top_k.items()],
        majority=told.majority,
        chance=told.chance,
        p_value=told.p_value,
        recalls=[
            classify_pb2.ClassRecall(items=int(size), recall=write_measured(recall))
            for size, recall in zip(told.sizes, told.recalls, strict=True)
        ],
        confusion=told.confusion.ravel().tolist(),
    )
