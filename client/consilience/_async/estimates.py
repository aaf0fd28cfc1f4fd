"""The call that prices an alignment before it is asked."""

from collections.abc import Sequence
from typing import Unpack

from consilience import _names
from consilience._alignment_options import AlignmentOptions
from consilience._async.alignment import SpaceName
from consilience._async.base import AsyncCalls
from consilience._codec.alignment import Neighbours, encode_spec
from consilience._codec.estimate import decode_estimate
from consilience._methods import ESTIMATE_ALIGNMENT
from consilience._results.alignment_estimate import AlignmentEstimate
from consilience.v1 import alignment_pb2, estimate_pb2


class AsyncEstimateCalls(AsyncCalls):
    """Dry runs."""

    async def estimate_alignment(
        self,
        *spaces: SpaceName,
        k: Neighbours | Sequence[Neighbours] = 10,
        metric: str = "mutual_knn",
        items: str | None = None,
        timeout: float | None = None,
        **options: Unpack[AlignmentOptions],
    ) -> AlignmentEstimate:
        """What an alignment would cost, and whether it would be refused; nothing is read but the records of the spaces.

        Args:
            *spaces: two for what `align` would cost, more for `align_matrix`; single ones, not groups of layers.
            k: as in `align`.
            metric: as in `align`.
            items: `common` or `pairwise`: asks about `align_matrix` for two spaces too.
            timeout: as in `align`.
            **options: as in `align`.

        Raises:
            InvalidArgumentError: fewer than two spaces; what the SDK refuses itself. All else is told in `refusals`.
            NotFoundError: no such space.
        """
        request = estimate_pb2.EstimateAlignmentRequest(
            spaces=_names.space_refs(spaces),
            spec=encode_spec(k=k, metric=metric, **options),
            items=alignment_pb2.ITEM_POLICY_UNSPECIFIED if items is None else _names.ITEM_POLICIES.to_number(items),
        )
        message, details = await self._call(ESTIMATE_ALIGNMENT, request, timeout)
        return decode_estimate(message, details)
