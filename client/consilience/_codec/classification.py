"""Classifications: what stands for the classes, and results from messages."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from consilience import _names
from consilience._codec.alignment import decode_interval
from consilience._codec.spaces import decode_space_use
from consilience._convert import from_matrix, to_ids, to_vectors
from consilience._results.base import NO_DETAILS, CallDetails
from consilience._results.classification import Classification, ClassificationAccuracy, ClassRecall
from consilience._results.measured import Measured
from consilience.errors import InvalidArgumentError
from consilience.v1 import bridge_pb2, classify_pb2


def encode_prototypes(prototypes: Any, prototype_space: Any, class_attribute: str | None) -> classify_pb2.ClassPrototypes:
    """A space, or classes by name with their vectors or with ids of `prototype_space`.

    Raises:
        InvalidArgumentError: none of these.
    """
    if not isinstance(prototypes, Mapping):
        if prototype_space is not None:
            raise InvalidArgumentError("prototypes is a space itself; leave prototype_space out", field="prototypes.space")
        space = _names.space_ref(prototypes, "prototypes")
        return classify_pb2.ClassPrototypes(space=space, class_attribute=_names.text(class_attribute or "", "classes"))
    if class_attribute is not None:
        raise InvalidArgumentError("classes is an attribute of a space of prototypes; these have their classes", field="classes")
    if not prototypes:
        raise InvalidArgumentError("prototypes is empty; give {class: vectors} or {class: ids}", field="prototypes")
    names = [_names.text(name, "prototypes") for name in prototypes]
    if prototype_space is not None:
        items = [
            classify_pb2.ClassItems(class_name=name, item_ids=to_ids(ids, f"prototypes[{name!r}]"))
            for name, ids in zip(names, prototypes.values(), strict=True)
        ]
        return classify_pb2.ClassPrototypes(space=_names.space_ref(prototype_space, "prototype_space"), class_items=items)
    return _vectors(names, list(prototypes.values()))


def _vectors(names: list[str], values: list[Any]) -> classify_pb2.ClassPrototypes:
    parts = []
    for name, value in zip(names, values, strict=True):
        if isinstance(value, str) or (isinstance(value, list | tuple) and value and isinstance(value[0], str)):
            raise InvalidArgumentError(f"prototypes[{name!r}] are ids; name their space in prototype_space", field="prototypes")
        parts.append(to_vectors(value, f"prototypes[{name!r}]", single=True).to_float32())
        if not len(parts[-1]):
            raise InvalidArgumentError(f"class {name!r} has no prototype; give it one", field="prototypes")
    widths = {part.shape[1] for part in parts}
    if len(widths) > 1:
        raise InvalidArgumentError(
            f"prototypes have vectors of {', '.join(map(str, sorted(widths)))} columns; give one width",
            reason="SHAPE_MISMATCH",
            field="prototypes",
        )
    classes = [name for name, part in zip(names, parts, strict=True) for _ in range(len(part))]
    return classify_pb2.ClassPrototypes(vectors=to_vectors(np.concatenate(parts)).to_matrix(), vector_classes=classes)


def decode_classification(message: classify_pb2.Classification, details: CallDetails = NO_DETAILS) -> Classification:
    """A Classification."""
    classes = tuple(message.classes)
    scores = from_matrix(message.scores)
    places = np.array(message.predictions, dtype=np.int64).reshape(scores.shape)
    return Classification(
        classes=classes,
        item_ids=tuple(message.item_ids),
        predictions=np.array(classes, dtype=object)[places],
        scores=scores,
        similarities=from_matrix(message.similarities),
        accuracy=_accuracy(message.accuracy, classes) if message.HasField("accuracy") else None,
        items=decode_space_use(message.items),
        prototypes=decode_space_use(message.prototypes) if message.HasField("prototypes") else None,
        bridge=_names.bare(message.bridge),
        fitted_items=message.fitted_items,
        clustered_by=message.clustered_by,
        correction=_names.CORRECTIONS.to_name(message.correction),
        permutations=message.permutations,
        notes=tuple(message.notes),
        details=details,
    )


def _accuracy(message: classify_pb2.ClassificationAccuracy, classes: tuple[str, ...]) -> ClassificationAccuracy:
    recalls = (ClassRecall(each.items, _measured(each.recall) if each.HasField("recall") else None) for each in message.recalls)
    return ClassificationAccuracy(
        accuracy=_measured(message.accuracy),
        balanced_accuracy=_measured(message.balanced_accuracy),
        top_k={each.k: _measured(each.accuracy) for each in message.top_k},
        majority=message.majority,
        chance=message.chance,
        p_value=message.p_value if message.HasField("p_value") else None,
        recalls=dict(zip(classes, recalls, strict=True)),
        confusion=np.array(message.confusion, dtype=np.int64).reshape(len(classes), len(classes)),
    )


def _measured(message: bridge_pb2.Measured) -> Measured:
    return Measured(message.value, decode_interval(message.interval))
