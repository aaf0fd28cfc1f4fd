# Generated from _async/classification.py by client/unasync.py; edit that file.
"""Calls that put items into classes."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast, overload

from consilience import _names
from consilience._sync.operations import OperationCalls
from consilience._codec.classification import decode_classification, encode_prototypes
from consilience._codec.operations import decode_operation
from consilience._convert import to_ids
from consilience._fields import argument_called
from consilience._methods import CLASSIFY
from consilience._numbers import UINT64, whole
from consilience._progress import Progress
from consilience._results.bridge import Bridge
from consilience._results.classification import Classification
from consilience._results.operation import Operation
from consilience._results.space import Space, SpaceUse
from consilience.errors import InvalidArgumentError
from consilience.v1 import classify_pb2

SpaceName = str | Space | SpaceUse

_ARGUMENTS = {
    "pair_ids": "item_ids",
    "labels_attribute": "labels",
    "prototypes.class_attribute": "classes",
    "prototypes.space": "prototypes",
    "prototypes.vectors": "prototypes",
    "prototypes.vector_classes": "prototypes",
    "prototypes.class_items": "prototypes",
    "top_ks": "top_k",
}
"""What the call names otherwise than the request."""


class ClassificationCalls(OperationCalls):
    """Zero-shot classification across spaces."""

    @overload
    def classify(
        self,
        prototypes: SpaceName | Mapping[str, Any],
        items: SpaceName,
        *,
        bridge: str | Bridge | None = None,
        labels: str | None = None,
        classes: str | None = None,
        prototype_space: SpaceName | None = None,
        item_ids: Any = None,
        correction: str = "none",
        correction_k: int = 10,
        top_k: Sequence[int] = (),
        permutations: int = 999,
        seed: int = 0,
        wait: Literal[True] = True,
        progress: Progress = False,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> Classification: ...

    @overload
    def classify(
        self,
        prototypes: SpaceName | Mapping[str, Any],
        items: SpaceName,
        *,
        bridge: str | Bridge | None = None,
        labels: str | None = None,
        classes: str | None = None,
        prototype_space: SpaceName | None = None,
        item_ids: Any = None,
        correction: str = "none",
        correction_k: int = 10,
        top_k: Sequence[int] = (),
        permutations: int = 999,
        seed: int = 0,
        wait: Literal[False],
        progress: Progress = False,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> Operation: ...

    def classify(
        self,
        prototypes: SpaceName | Mapping[str, Any],
        items: SpaceName,
        *,
        bridge: str | Bridge | None = None,
        labels: str | None = None,
        classes: str | None = None,
        prototype_space: SpaceName | None = None,
        item_ids: Any = None,
        correction: str = "none",
        correction_k: int = 10,
        top_k: Sequence[int] = (),
        permutations: int = 999,
        seed: int = 0,
        wait: bool = True,
        progress: Progress = False,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> Classification | Operation:
        """Zero-shot classification: give each item of a space the class whose prototype, of another space, is nearest through a bridge.

        A class of several prototypes is the mean of their directions where both spaces meet; a prototype of a space that has an item's id
        does not count in the class that this item is held against. With `labels` the answer tells accuracy,
        balanced accuracy, top-k accuracy, recall of each class and confusion, with intervals, against the most frequent class and against
        random pairings; items of one `group_id` count as one draw.

        Args:
            prototypes: a space of them; or classes by name, each with its vectors, (d,) or (p, d), or with ids of `prototype_space`.
            items: the space to classify; `name@7` pins version 7.
            bridge: one between the two spaces, in either direction; None where prototypes are vectors of the items' own space.
            labels: attribute of `items` whose values are the true classes; None predicts alone.
            classes: attribute of the prototypes' space whose values are the classes; None makes every prototype a class named by its id.
            prototype_space: of the ids in `prototypes`.
            item_ids: classify these alone; None is all, up to 100,000. Items that the bridge was fitted on are left out and counted.
            correction: `none`, or `csls` against classes that are near to everything; its bank are the items classified.
            correction_k: neighbourhood of CSLS.
            top_k: top-k accuracies to tell, and how many classes of each item; empty is 1, and 5 where there are more classes.
            permutations: of the p-value; 0 skips it.
            seed: of the permutations.
            wait: False starts an operation and returns it at once.
            progress: for work that the server makes an operation of: True for a bar, or a function told (fraction done, 1).
            request_id: makes repeating the call safe across processes.
            timeout: seconds for everything; None is the client's for the call, and as long as it takes for an operation.

        Raises:
            InvalidArgumentError: less than two classes, labels without a prototype, vectors of another width, and other bad input.
            NotFoundError: no such space or bridge, or an id that is absent from its space.
            FailedPreconditionError: the bridge joins other spaces, or one that was made anew.
        """
        with argument_called(**_ARGUMENTS):
            asked = None if item_ids is None else to_ids(item_ids, "item_ids")
            if asked is not None and not asked:
                raise InvalidArgumentError("item_ids is empty; give the ids of items, or None for all", field="item_ids")
            request = classify_pb2.ClassifyRequest(
                prototypes=encode_prototypes(prototypes, prototype_space, classes),
                items=_names.space_ref(items, "items"),
                bridge="" if bridge is None else _names.bridge_name(bridge),
                labels_attribute="" if labels is None else _names.text(labels, "labels"),
                item_ids=asked,
                correction=_names.CORRECTIONS.to_number(correction),
                correction_k=whole(correction_k, "correction_k", least=1),
                top_ks=[whole(k, "top_k", least=1) for k in top_k],
                permutations=whole(permutations, "permutations"),
                seed=whole(seed, "seed", most=UINT64),
                mode=_names.execution_mode(wait=wait),
                request_id=_names.request_id(request_id),
            )
            message, details = self._call(CLASSIFY, request, timeout)
            if not message.HasField("operation"):
                return decode_classification(message.classification, details)
            if not wait:
                return decode_operation(message.operation, details)
            return cast("Classification", self._outcome(message.operation, details.left(timeout), progress, owned=request_id is None))
