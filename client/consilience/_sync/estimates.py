# Generated from _async/estimates.py by client/unasync.py; edit that file.
"""The call that prices an alignment before it is asked."""

from collections.abc import Sequence
from typing import Unpack

from consilience import _names
from consilience._alignment_options import AlignmentOptions
from consilience._sync.alignment import SpaceName
from consilience._sync.base import Calls
from consilience._codec.alignment import Controls, Neighbours, encode_controls, encode_spec
from consilience._codec.estimate import decode_estimate
from consilience._codec.gallery_curve import check_sizes
from consilience._methods import ESTIMATE_ALIGNMENT
from consilience._numbers import whole
from consilience._results.alignment_estimate import AlignmentEstimate
from consilience.v1 import alignment_pb2, estimate_pb2


class EstimateCalls(Calls):
    """Dry runs."""

    def estimate_alignment(
        self,
        *spaces: SpaceName,
        k: Neighbours | Sequence[Neighbours] = 10,
        metric: str = "mutual_knn",
        items: str | None = None,
        call: str | None = None,
        controls: Controls = (),
        given: SpaceName | None = None,
        reference: SpaceName | None = None,
        sizes: Sequence[int] | None = None,
        method: str = "mean_kernel",
        rank: int = 512,
        timeout: float | None = None,
        **options: Unpack[AlignmentOptions],
    ) -> AlignmentEstimate:
        """What an alignment would cost, and whether it would be refused; nothing is read but the records of the spaces.

        Args:
            *spaces: two for what `align` would cost, more for `align_matrix`. Either side of `align` may be a group, `groups/llama`.
            k: as in `align`.
            metric: as in `align`.
            items: `common` or `pairwise`: asks about `align_matrix` for two spaces too.
            call: asks about another call: `align`, `align_matrix`, `trend` (of the spaces, whatever their numbers), `consensus`,
                `gallery_curve` (of two spaces) or `compare_alignments` (of four: x and y of the first pair, then of the second).
            controls: as in `align`.
            given: as in `align`.
            reference: as in `trend`.
            sizes: as in `gallery_curve`.
            method: as in `consensus`.
            rank: as in `consensus`.
            timeout: as in `align`.
            **options: as in `align`.

        Raises:
            InvalidArgumentError: another number of spaces than the call takes; what the SDK refuses itself. All else is told in `refusals`.
            NotFoundError: no such space.
        """
        request = estimate_pb2.EstimateAlignmentRequest(
            spaces=_names.side_refs(spaces, "spaces"),
            spec=encode_spec(k=k, metric=metric, **options),
            items=alignment_pb2.ITEM_POLICY_UNSPECIFIED if items is None else _names.ITEM_POLICIES.to_number(items),
            call=estimate_pb2.ESTIMATED_CALL_UNSPECIFIED if call is None else _names.ESTIMATED_CALLS.to_number(call),
            controls=encode_controls(controls),
            given=None if given is None else _names.space_ref(given, "given"),
            reference=None if reference is None else _names.space_ref(reference, "reference"),
            gallery_sizes=check_sizes(sizes),
            method=_names.CONSENSUS_METHODS.to_number(method),
            rank=whole(rank, "rank", least=1),
        )
        message, details = self._call(ESTIMATE_ALIGNMENT, request, timeout)
        return decode_estimate(message, details)
