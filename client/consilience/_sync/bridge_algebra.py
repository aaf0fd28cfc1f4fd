# Generated from _async/bridge_algebra.py by client/unasync.py; edit that file.
"""Calls that make bridges of bridges."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, cast, overload

from consilience import _names
from consilience._sync.operations import OperationCalls
from consilience._codec.bridges import decode_bridge, encode_pairs
from consilience._codec.operations import decode_operation
from consilience._methods import COMPOSE_BRIDGES, INVERT_BRIDGE
from consilience._progress import Progress
from consilience._results.bridge import Bridge
from consilience._results.operation import Operation
from consilience.errors import InvalidArgumentError
from consilience.v1 import bridge_algebra_pb2


class BridgeAlgebraCalls(OperationCalls):
    """Bridges one after the other, and the way back through one."""

    @overload
    def compose_bridges(
        self,
        bridges: Sequence[str | Bridge],
        name: str,
        *,
        pair_ids: Any = None,
        target_ids: Any = None,
        wait: Literal[True] = True,
        progress: Progress = False,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> Bridge: ...

    @overload
    def compose_bridges(
        self,
        bridges: Sequence[str | Bridge],
        name: str,
        *,
        pair_ids: Any = None,
        target_ids: Any = None,
        wait: Literal[False],
        progress: Progress = False,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> Operation: ...

    def compose_bridges(
        self,
        bridges: Sequence[str | Bridge],
        name: str,
        *,
        pair_ids: Any = None,
        target_ids: Any = None,
        wait: bool = True,
        progress: Progress = False,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> Bridge | Operation:
        """Bridges one after the other, kept as one: a -> b and b -> c make a -> c.

        It does what translating through each in turn does, with `centred=False` for all but the last: between two bridges a vector is
        brought back to where it stands in the space between (in float64 here). The report is measured anew, in both ends as they are now,
        on at most 4,096 pairs that no parent was fitted on (nor on a near-copy of); where the ends have none in common, the bridge has no
        report, and `notes` say so.

        Args:
            bridges: two to 16, in the order that a vector takes; all but the last must lead into their target (`leads_into_target`).
            name: of the new bridge.
            pair_ids: item ids to measure on; None is all items common to both ends.
            target_ids: where ids differ: pair i is (pair_ids[i], target_ids[i]).
            wait: False starts an operation and returns it at once.
            progress: for work that the server makes an operation of: True for a bar, or a function told (fraction done, 1).
            request_id: makes repeating the call safe across processes.
            timeout: seconds for everything; None is the client's for the call, and as long as it takes for an operation.

        Raises:
            FailedPreconditionError: a bridge does not start where the one before it leads; an end was deleted and made anew.
            InvalidArgumentError: one but the last maps both sides into a space of their own; the parents were fitted on all pairs.
            NotFoundError: no such bridge, or one of the ends is gone.
            AlreadyExistsError: a bridge has this name.
        """
        if isinstance(bridges, str | Bridge):
            raise InvalidArgumentError("bridges is one bridge; give a list of two or more", field="bridges")
        if isinstance(bridges, Mapping) or not isinstance(bridges, Iterable):
            raise InvalidArgumentError(f"bridges is of type {type(bridges).__name__}; give a list of two or more bridges", field="bridges")
        request = bridge_algebra_pb2.ComposeBridgesRequest(
            bridge_id=_names.new_name(name, "name"),
            bridges=[_names.bridge_name(bridge, f"bridges[{position}]") for position, bridge in enumerate(bridges)],
            pairs=encode_pairs(pair_ids, target_ids),
            mode=_names.execution_mode(wait=wait),
            request_id=_names.request_id(request_id),
        )
        return self._made(COMPOSE_BRIDGES, request, timeout, progress, wait=wait, owned=request_id is None)

    @overload
    def invert_bridge(
        self,
        bridge: str | Bridge,
        name: str,
        *,
        pair_ids: Any = None,
        target_ids: Any = None,
        wait: Literal[True] = True,
        progress: Progress = False,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> Bridge: ...

    @overload
    def invert_bridge(
        self,
        bridge: str | Bridge,
        name: str,
        *,
        pair_ids: Any = None,
        target_ids: Any = None,
        wait: Literal[False],
        progress: Progress = False,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> Operation: ...

    def invert_bridge(
        self,
        bridge: str | Bridge,
        name: str,
        *,
        pair_ids: Any = None,
        target_ids: Any = None,
        wait: bool = True,
        progress: Progress = False,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> Bridge | Operation:
        """The way back through a bridge, kept as a bridge: a -> b makes b -> a.

        What the bridge makes of a source vector is brought back to where that vector lies in the centred source space: by the transpose of
        a rotation (identity, mean shift, Procrustes), else by the pseudo-inverse of a matrix whose condition number is at most 10,000. A
        bridge into fewer dimensions has lost some and is refused; one into more is inverted where it leads, and `notes` say so. Of bridges
        that map both sides into a space of their own (relative, whitened, cca, csa) the sides change places, which changes no cosine.
        An inverse is no fit of the other direction, so its report is measured anew as in `compose_bridges`.

        Args:
            bridge: the bridge.
            name: of the new one.
            pair_ids: ids to measure on, of the new bridge's source; None is all items common to both spaces.
            target_ids: where ids differ: pair i is (pair_ids[i], target_ids[i]).
            wait: False starts an operation and returns it at once.
            progress: as in `compose_bridges`.
            request_id: makes repeating the call safe across processes.
            timeout: as in `compose_bridges`.

        Raises:
            InvalidArgumentError: fewer dimensions, an ill-conditioned matrix, no linear map; the bridge was fitted on all of the pairs.
            NotFoundError: no such bridge, or one of its spaces is gone.
            FailedPreconditionError: one of its spaces was deleted and made anew.
            AlreadyExistsError: a bridge has this name.
        """
        request = bridge_algebra_pb2.InvertBridgeRequest(
            bridge_id=_names.new_name(name, "name"),
            bridge=_names.bridge_name(bridge),
            pairs=encode_pairs(pair_ids, target_ids),
            mode=_names.execution_mode(wait=wait),
            request_id=_names.request_id(request_id),
        )
        return self._made(INVERT_BRIDGE, request, timeout, progress, wait=wait, owned=request_id is None)

    def _made(
        self, method: Any, request: Any, timeout: float | None, progress: Progress, *, wait: bool, owned: bool
    ) -> Bridge | Operation:
        message, details = self._call(method, request, timeout)
        if not message.HasField("operation"):
            return decode_bridge(message.bridge, details)
        if not wait:
            return decode_operation(message.operation, details)
        return cast("Bridge", self._outcome(message.operation, details.left(timeout), progress, owned=owned))
