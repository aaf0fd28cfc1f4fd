"""Calls that fit, measure, find, list and delete bridges."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, cast, overload

from consilience import _names
from consilience._async.concurrency import run_blocking
from consilience._async.operations import AsyncOperationCalls
from consilience._codec.bridge_evaluation import decode_evaluation
from consilience._codec.bridges import decode_bridge, encode_classes, encode_labels, encode_pairs, read_head
from consilience._codec.operations import decode_operation
from consilience._codec.stitching import StitchingArguments, encode_stitching
from consilience._fields import argument_called
from consilience._methods import DELETE_BRIDGE, EVALUATE_BRIDGE, FIT_BRIDGE, GET_BRIDGE, LIST_BRIDGES
from consilience._numbers import UINT64, reals, share, whole
from consilience._progress import Progress
from consilience._results.bridge import Bridge
from consilience._results.bridge_evaluation import BridgeEvaluation
from consilience._results.operation import Operation
from consilience._results.space import Space, SpaceUse
from consilience.v1 import bridge_pb2

_PAGE = 1000


class AsyncBridgeCalls(AsyncOperationCalls):
    """Directed maps from a source space to a target space."""

    @overload
    async def fit_bridge(
        self,
        source: str | Space | SpaceUse,
        target: str | Space | SpaceUse,
        name: str,
        *,
        method: str = "auto",
        pair_ids: Any = None,
        target_ids: Any = None,
        pair_attribute: str | None = None,
        held_out_fraction: float = 0.2,
        seed: int = 0,
        penalties: Sequence[float] = (),
        keep_unconverged: bool = False,
        architecture: str | None = None,
        loss: str | None = None,
        hidden: int | None = None,
        relational_weight: float | None = None,
        temperature: float | None = None,
        max_epochs: int | None = None,
        wait: Literal[True] = True,
        progress: Progress = False,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> Bridge: ...

    @overload
    async def fit_bridge(
        self,
        source: str | Space | SpaceUse,
        target: str | Space | SpaceUse,
        name: str,
        *,
        method: str = "auto",
        pair_ids: Any = None,
        target_ids: Any = None,
        pair_attribute: str | None = None,
        held_out_fraction: float = 0.2,
        seed: int = 0,
        penalties: Sequence[float] = (),
        keep_unconverged: bool = False,
        architecture: str | None = None,
        loss: str | None = None,
        hidden: int | None = None,
        relational_weight: float | None = None,
        temperature: float | None = None,
        max_epochs: int | None = None,
        wait: Literal[False],
        progress: Progress = False,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> Operation: ...

    async def fit_bridge(
        self,
        source: str | Space | SpaceUse,
        target: str | Space | SpaceUse,
        name: str,
        *,
        method: str = "auto",
        pair_ids: Any = None,
        target_ids: Any = None,
        pair_attribute: str | None = None,
        held_out_fraction: float = 0.2,
        seed: int = 0,
        penalties: Sequence[float] = (),
        keep_unconverged: bool = False,
        architecture: str | None = None,
        loss: str | None = None,
        hidden: int | None = None,
        relational_weight: float | None = None,
        temperature: float | None = None,
        max_epochs: int | None = None,
        wait: bool = True,
        progress: Progress = False,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> Bridge | Operation:
        """Fit a map on known pairs, measure it on held-out ones, and keep it under a name.

        Args:
            source: the space mapped from; `name@7` pins version 7.
            target: the space mapped into.
            name: `[a-z][a-z0-9-]{0,62}`; spaces and bridges share one set of names.
            method: `auto` fits all that the pairs support and keeps the best by held-out recall; or one by name: the baselines `identity`
                and `mean_shift` (reported beside every fit), `procrustes`, `scaled_procrustes`, `ridge`, `affine` (of low rank), `relative`
                (few pairs), and for as many pairs as dimensions or more `whitened`, `cca`, `csa`. The last four map both sides into a
                space of their own. `unsupervised` needs no pair: a rotation from how the clusters of either space lie to each other
                (mini-vec2vec), from thousands of items on each side; ids of both spaces mean nothing to it. `stitching_layer` is trained
                with torch on the server, from a ridge regression on, and stopped by retrieval among pairs of the fit that it is not
                trained on; `auto` trains one from 100,000 pairs on.
            pair_ids: item ids known in both spaces; None is all common items. With `unsupervised` they are only measured, and None is none.
            target_ids: where ids differ: pair i is (pair_ids[i], target_ids[i]).
            pair_attribute: instead of ids, joins every source item with every target item of an equal value, many-to-many, such as
                `group_id`. Of a value with more than 100 pairs so many are taken, by a hash of their ids. Values stay on one side of the
                split, and a held-out item counts as found where any item of its value is.
            held_out_fraction: share of the pairs kept out of the fit for the report, above 0 and below 1.
            seed: chooses the held-out pairs, and the course of a training.
            penalties: of ridge and affine, in units of the mean eigenvalue; empty is the server's grid.
            keep_unconverged: keep an `unsupervised` bridge even where independent fits do not agree (`Bridge.convergence`).
            architecture: of a `stitching_layer`: `linear` (the default by name) or `residual_mlp`, a hidden layer beside a linear map.
            loss: what it is trained on: `cosine_relational` (the default: cosine to the partner, and cosines among the rows as among their
                partners) or `infonce` (partners told from the others of a batch; `Bridge.stitching.information` is then a lower bound on
                the mutual information).
            hidden: units of the hidden layer of `residual_mlp`; None: twice the wider space, at most 2,048.
            relational_weight: of the cosines among rows in `cosine_relational`, from 0 on; None is 1.
            temperature: of `infonce`, .001 to 10; None is .05.
            max_epochs: most passes over the pairs; None is 60. Training ends ten after the last that was better.
            wait: False starts an operation and returns it at once.
            progress: for work that the server makes an operation of: True for a bar, or a function told (fraction done, 1).
            request_id: makes repeating the call safe across processes.
            timeout: seconds for everything; None is the client's for the call, and as long as it takes for an operation.

        Raises:
            UnimplementedError: a stitching layer, and the server has no torch, or pairs joined by an attribute.
            InvalidArgumentError: too few pairs (none too), a malformed name or one that a space has, widths that the method cannot join, an
                attribute that no item of a space has, or no value of it that both have.
            NotFoundError: no such space, or a pair id that is absent from it.
            AlreadyExistsError: a bridge has this name.
            FailedPreconditionError: DID_NOT_CONVERGE, of `unsupervised`; nothing was kept.
        """
        request = bridge_pb2.FitBridgeRequest(
            bridge_id=_names.new_name(name, "name"),
            source=_names.space_ref(source, "source"),
            target=_names.space_ref(target, "target"),
            method=_names.BRIDGE_METHODS.to_number(method),
            pairs=encode_pairs(pair_ids, target_ids, pair_attribute),
            held_out_fraction=share(held_out_fraction, "held_out_fraction"),
            seed=whole(seed, "seed", most=UINT64),
            mode=_names.execution_mode(wait=wait),
            request_id=_names.request_id(request_id),
            penalties=reals(penalties, "penalties"),
            keep_unconverged=bool(keep_unconverged),
            stitching=encode_stitching(StitchingArguments(architecture, loss, hidden, relational_weight, temperature, max_epochs)),
        )
        message, details = await self._call(FIT_BRIDGE, request, timeout)
        if not message.HasField("operation"):
            return decode_bridge(message.bridge, details)
        if not wait:
            return decode_operation(message.operation, details)
        return cast("Bridge", await self._outcome(message.operation, details.left(timeout), progress, owned=request_id is None))

    async def get_bridge(self, bridge: str | Bridge, *, timeout: float | None = None) -> Bridge:
        """A bridge; NotFoundError."""
        request = bridge_pb2.GetBridgeRequest(name=_names.bridge_name(bridge))
        with argument_called(name="bridge"):
            message, details = await self._call(GET_BRIDGE, request, timeout)
        return decode_bridge(message.bridge, details)

    @overload
    async def evaluate_bridge(
        self,
        bridge: str | Bridge,
        pair_ids: Any = None,
        target_ids: Any = None,
        *,
        pair_attribute: str | None = None,
        labels: Any = None,
        head: bytes | bytearray | memoryview | str | Path | None = None,
        head_classes: Sequence[Any] | None = None,
        wait: Literal[True] = True,
        progress: Progress = False,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> BridgeEvaluation: ...

    @overload
    async def evaluate_bridge(
        self,
        bridge: str | Bridge,
        pair_ids: Any = None,
        target_ids: Any = None,
        *,
        pair_attribute: str | None = None,
        labels: Any = None,
        head: bytes | bytearray | memoryview | str | Path | None = None,
        head_classes: Sequence[Any] | None = None,
        wait: Literal[False],
        progress: Progress = False,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> Operation: ...

    async def evaluate_bridge(
        self,
        bridge: str | Bridge,
        pair_ids: Any = None,
        target_ids: Any = None,
        *,
        pair_attribute: str | None = None,
        labels: Any = None,
        head: bytes | bytearray | memoryview | str | Path | None = None,
        head_classes: Sequence[Any] | None = None,
        wait: bool = True,
        progress: Progress = False,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> BridgeEvaluation | Operation:
        """Measure a bridge on pairs that it was not fitted on, in its spaces as they are now.

        Pairs of the fit are left out and counted; at most 4,096, chosen by hash, are asked. A space that has moved on since the fit is used
        as it is, and `notes` say so.

        Args:
            bridge: the bridge.
            pair_ids: item ids known in both spaces; None is all common items that the bridge was not fitted on.
            target_ids: where ids differ: pair i is (pair_ids[i], target_ids[i]).
            pair_attribute: instead of ids, joins items of equal value, many-to-many: every source item of a value that the bridge was not
                fitted on asks, and any target item of its value counts as found. Each value counts once, and intervals are over values.
                Not together with labels.
            labels: classes for the stitching penalty, what a linear probe of the target space loses by the bridge: the name of an attribute
                of either space, or one label for each of `pair_ids`; none may be missing. Whole floats and booleans count as whole numbers.
            head: your own classifier of the target space in place of the probe: an ONNX model, as bytes or as a path, that takes (rows,
                width of the target) float32 and tells (rows, classes) scores or (rows,) labels first. It is given the items' own target
                vectors, then the bridged ones where they stand in the target space, as long as its vectors are in the mean.
            head_classes: what its scores are of, in order, in the spelling of the labels; None: the labels are whole numbers from 0.
            wait: False starts an operation and returns it at once.
            progress: for work that the server makes an operation of: True for a bar, or a function told (fraction done, 1).
            request_id: makes repeating the call safe across processes.
            timeout: seconds for everything; None is the client's for the call, and as long as it takes for an operation.

        Raises:
            InvalidArgumentError: it was fitted on all of these pairs; labels that are missing, all equal, or not as many as pairs; a head
                that does not fit the target space or its labels.
            NotFoundError: no such bridge, or a pair id that is absent from a space.
            FailedPreconditionError: one of its spaces was deleted and made anew.
        """
        request = bridge_pb2.EvaluateBridgeRequest(
            name=_names.bridge_name(bridge),
            pairs=encode_pairs(pair_ids, target_ids, pair_attribute),
            mode=_names.execution_mode(wait=wait),
            request_id=_names.request_id(request_id),
        )
        if isinstance(labels, str):
            request.labels_attribute = labels
        elif labels is not None:
            request.labels.extend(encode_labels(labels, len(request.pairs.item_ids)))
        if head is not None:
            request.head = await run_blocking(lambda: read_head(head))
            await self._check_size(request)
        if head_classes is not None:
            request.head_classes.extend(encode_classes(head_classes, "head_classes"))
        with argument_called(name="bridge"):
            message, details = await self._call(EVALUATE_BRIDGE, request, timeout)
        if not message.HasField("operation"):
            return decode_evaluation(message, details)
        if not wait:
            return decode_operation(message.operation, details)
        return cast("BridgeEvaluation", await self._outcome(message.operation, timeout, progress, owned=request_id is None))

    async def list_bridges(self, *, timeout: float | None = None) -> list[Bridge]:
        """All bridges by name; asks page by page."""
        bridges: list[Bridge] = []
        token = ""
        while True:
            request = bridge_pb2.ListBridgesRequest(page_size=_PAGE, page_token=token)
            message, details = await self._call(LIST_BRIDGES, request, timeout)
            bridges += [decode_bridge(entry, details) for entry in message.bridges]
            token = message.next_page_token
            if not token:
                return bridges

    async def delete_bridge(self, bridge: str | Bridge, *, request_id: str | None = None, timeout: float | None = None) -> None:
        """Remove a bridge; NotFoundError."""
        request = bridge_pb2.DeleteBridgeRequest(name=_names.bridge_name(bridge), request_id=_names.request_id(request_id))
        with argument_called(name="bridge"):
            await self._call(DELETE_BRIDGE, request, timeout)
