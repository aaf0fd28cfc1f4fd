# Generated from _async/upgrades.py by client/unasync.py; edit that file.
"""Calls on a change of encoder."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal, cast, overload

from consilience import _names
from consilience._sync.operations import OperationCalls
from consilience._codec.items import encode_slices
from consilience._codec.operations import decode_operation
from consilience._codec.upgrade import decode_upgrade, encode_qrels, encode_query_spaces, encode_thresholds
from consilience._convert import to_ids
from consilience._fields import argument_called
from consilience._methods import EVALUATE_UPGRADE
from consilience._numbers import UINT64, whole
from consilience._progress import Progress
from consilience._results.bridge import Bridge
from consilience._results.operation import Operation
from consilience._results.space import Space, SpaceUse
from consilience._results.upgrade_report import UpgradeReport
from consilience.errors import InvalidArgumentError
from consilience.v1 import upgrade_pb2

SpaceName = str | Space | SpaceUse
Qrels = Mapping[str, Sequence[str] | Mapping[str, float]]

_ARGUMENTS = {
    "query_ids": "queries",
    "judgements": "qrels",
    "reembed_limit": "reembed",
    "query_spaces.old": "query_spaces",
    "query_spaces.new": "query_spaces",
}
"""What the call names otherwise than the request."""


class UpgradeCalls(OperationCalls):
    """Whether an encoder can change without re-embedding."""

    @overload
    def evaluate_upgrade(
        self,
        old: SpaceName,
        new: SpaceName,
        *,
        queries: Any = None,
        query_spaces: tuple[SpaceName, SpaceName] | None = None,
        sample_queries: int = 1000,
        qrels: Qrels | None = None,
        thresholds: Mapping[str, float] = MappingProxyType({"recall@10": 0.9}),
        bridge: str | Bridge | None = None,
        method: str = "auto",
        slices: str | None = None,
        prefix: str | None = None,
        seed: int = 0,
        reembed: int = 1000,
        wait: Literal[True] = True,
        progress: Progress = False,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> UpgradeReport: ...

    @overload
    def evaluate_upgrade(
        self,
        old: SpaceName,
        new: SpaceName,
        *,
        queries: Any = None,
        query_spaces: tuple[SpaceName, SpaceName] | None = None,
        sample_queries: int = 1000,
        qrels: Qrels | None = None,
        thresholds: Mapping[str, float] = MappingProxyType({"recall@10": 0.9}),
        bridge: str | Bridge | None = None,
        method: str = "auto",
        slices: str | None = None,
        prefix: str | None = None,
        seed: int = 0,
        reembed: int = 1000,
        wait: Literal[False],
        progress: Progress = False,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> Operation: ...

    def evaluate_upgrade(
        self,
        old: SpaceName,
        new: SpaceName,
        *,
        queries: Any = None,
        query_spaces: tuple[SpaceName, SpaceName] | None = None,
        sample_queries: int = 1000,
        qrels: Qrels | None = None,
        thresholds: Mapping[str, float] = MappingProxyType({"recall@10": 0.9}),
        bridge: str | Bridge | None = None,
        method: str = "auto",
        slices: str | None = None,
        prefix: str | None = None,
        seed: int = 0,
        reembed: int = 1000,
        wait: bool = True,
        progress: Progress = False,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> UpgradeReport | Operation:
        """What a change of encoder keeps of full re-embedding: by no map, by a bridge, and in a gallery that is re-embedded in part.

        `old` and `new` hold the same items under the two encoders (of a large gallery, a sample of it). Without `qrels` relevant are the
        items that full re-embedding finds: recall@k is then the share of its k nearest that are still found. With `qrels` recall@k, the
        reciprocal rank and nDCG are by these, and what counts is their ratio to full re-embedding. Queries and the pairs that the bridge
        is fitted on have nothing in common. A strategy passes where the lower end of the interval reaches every threshold, for all queries
        and in every slice: one that passes does not in at most 5% of decisions.

        Args:
            old: the gallery as it is; `name@7` pins version 7.
            new: the same items under the new encoder.
            queries: ids of the queries; None is those that `qrels` judge, or a sample by hash. At most 4,096 are asked.
            query_spaces: the queries under the old and under the new encoder; None lets items ask for each other, each without itself.
            sample_queries: size of the sample, 1 to 4,096; at most a fifth of the items where they ask for each other.
            qrels: query id to the relevant ids, or to a mapping of ids to grades.
            thresholds: `recall@1`, `recall@5`, `recall@10`, `mrr@10` or (with qrels) `ndcg@10`: the share of full re-embedding to keep.
            bridge: one that leads from `new` into `old`; None fits one on the items that do not ask, and keeps it not.
            method: of the bridge that is fitted, as in `fit_bridge`.
            slices: attribute of the queries by whose values they are judged too.
            prefix: text that ends the part of the id by which queries are judged instead.
            seed: chooses sample and splits.
            reembed: how many items to name that should be re-embedded first, up to 100,000.
            wait: False starts an operation and returns it at once.
            progress: for work that the server makes an operation of: True for a bar, or a function told (fraction done, 1).
            request_id: makes repeating the call safe across processes.
            timeout: seconds for everything; None is the client's for the call, and as long as it takes for an operation.

        Raises:
            InvalidArgumentError: spaces without 20 common items, thresholds of no measure, slices that queries lack, and other bad input.
            NotFoundError: no such space or bridge, or a query id that is not in both spaces.
            FailedPreconditionError: the bridge leads elsewhere, or one of its spaces was made anew.
        """
        with argument_called(**_ARGUMENTS):
            if method != "auto" and bridge is not None:
                raise InvalidArgumentError("bridge is one that is fitted already, and method what to fit; give one of them", field="method")
            asked = None if queries is None else to_ids(queries, "query_ids")
            if asked is not None and not asked:
                raise InvalidArgumentError("queries is empty; give the ids of queries, or None for a sample", field="query_ids")
            request = upgrade_pb2.EvaluateUpgradeRequest(
                old=_names.space_ref(old, "old"),
                new=_names.space_ref(new, "new"),
                query_spaces=encode_query_spaces(query_spaces),
                query_ids=asked,
                sample_queries=whole(sample_queries, "sample_queries", least=1),
                judgements=encode_qrels(qrels),
                thresholds=encode_thresholds(thresholds),
                bridge="" if bridge is None else _names.bridge_name(bridge),
                method=_names.BRIDGE_METHODS.to_number(method),
                **encode_slices(slices, prefix),
                seed=whole(seed, "seed", most=UINT64),
                reembed_limit=whole(reembed, "reembed_limit"),
                mode=_names.execution_mode(wait=wait),
                request_id=_names.request_id(request_id),
            )
            message, details = self._call(EVALUATE_UPGRADE, request, timeout)
            if not message.HasField("operation"):
                return decode_upgrade(message.report, details)
            if not wait:
                return decode_operation(message.operation, details)
            return cast("UpgradeReport", self._outcome(message.operation, details.left(timeout), progress, owned=request_id is None))
