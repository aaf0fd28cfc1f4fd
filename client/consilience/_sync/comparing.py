# Generated from _async/comparing.py by client/unasync.py; edit that file.
"""Calls that compare alignments with each other."""

from collections.abc import Sequence
from typing import Any, Literal, Unpack, cast, overload

from consilience import _names
from consilience._alignment_options import AlignmentOptions
from consilience._sync.alignment import SpaceName
from consilience._sync.operations import OperationCalls
from consilience._codec.alignment import Neighbours, encode_spec
from consilience._codec.comparisons import decode_comparison
from consilience._codec.operations import decode_operation
from consilience._methods import COMPARE_ALIGNMENTS
from consilience._progress import Progress
from consilience._results.alignment_comparison import AlignmentComparison
from consilience._results.operation import Operation
from consilience.errors import InvalidArgumentError
from consilience.v1 import comparison_pb2

SpacePair = tuple[SpaceName, SpaceName]


class ComparisonCalls(OperationCalls):
    """Alignments compared."""

    @overload
    def compare_alignments(
        self,
        first: SpacePair,
        second: SpacePair,
        *,
        k: Neighbours | Sequence[Neighbours] = 10,
        metric: str = "mutual_knn",
        wait: Literal[True] = True,
        progress: Progress = False,
        request_id: str | None = None,
        timeout: float | None = None,
        **options: Unpack[AlignmentOptions],
    ) -> AlignmentComparison: ...

    @overload
    def compare_alignments(
        self,
        first: SpacePair,
        second: SpacePair,
        *,
        k: Neighbours | Sequence[Neighbours] = 10,
        metric: str = "mutual_knn",
        wait: Literal[False],
        progress: Progress = False,
        request_id: str | None = None,
        timeout: float | None = None,
        **options: Unpack[AlignmentOptions],
    ) -> Operation: ...

    def compare_alignments(
        self,
        first: SpacePair,
        second: SpacePair,
        *,
        k: Neighbours | Sequence[Neighbours] = 10,
        metric: str = "mutual_knn",
        wait: bool = True,
        progress: Progress = False,
        request_id: str | None = None,
        timeout: float | None = None,
        **options: Unpack[AlignmentOptions],
    ) -> AlignmentComparison | Operation:
        """Whether one pair of spaces is more aligned than another: `compare_alignments(("clip", "bge"), ("dino", "bge"))`.

        Both alignments are over the items common to all spaces, by the same metric, k and random pairings, so that the luck of the items
        moves both alike; the difference has its own interval and p-value (delete-group jackknife of the difference, conservative).

        Args:
            first: two spaces; `name@7` pins version 7.
            second: two spaces, of which one may be the same.
            k: as in `align`, like all that follow.
            metric: as in `align`.
            wait: as in `align`.
            progress: as in `align`.
            request_id: as in `align`.
            timeout: as in `align`.
            **options: as in `align`.

        Raises:
            InvalidArgumentError: both pairs are the same, or one is no pair.
            ConsilienceError: as `align` does.
        """
        request = comparison_pb2.CompareAlignmentsRequest(
            first=_pair(first, "first"),
            second=_pair(second, "second"),
            spec=encode_spec(k=k, metric=metric, **options),
            mode=_names.execution_mode(wait=wait),
            request_id=_names.request_id(request_id),
        )
        message, details = self._call(COMPARE_ALIGNMENTS, request, timeout)
        if not message.HasField("operation"):
            return decode_comparison(message.comparison, details)
        if not wait:
            return decode_operation(message.operation, details)
        return cast(
            "AlignmentComparison", self._outcome(message.operation, details.left(timeout), progress, owned=request_id is None)
        )


def _pair(pair: Any, field: str) -> comparison_pb2.SpacePair:
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise InvalidArgumentError(f"{field} is {pair!r}; give two spaces, (x, y)", field=field)
    return comparison_pb2.SpacePair(x=_names.space_ref(pair[0], f"{field}.x"), y=_names.space_ref(pair[1], f"{field}.y"))
