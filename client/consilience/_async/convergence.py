"""Calls on what many spaces tell together."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Unpack, cast, overload

from consilience import _names
from consilience._alignment_options import AlignmentOptions
from consilience._async.alignment import SpaceName
from consilience._async.operations import AsyncOperationCalls
from consilience._codec.alignment import Neighbours, check_one, encode_spec
from consilience._codec.consensus import decode_consensus
from consilience._codec.operations import decode_operation
from consilience._codec.trend import decode_trend, encode_trend
from consilience._methods import CONSENSUS, TREND
from consilience._numbers import whole
from consilience._progress import Progress
from consilience._results.consensus_report import ConsensusReport
from consilience._results.operation import Operation
from consilience._results.trend_report import TrendReport
from consilience.v1 import alignment_pb2


class AsyncConvergenceCalls(AsyncOperationCalls):
    """How alignment goes with a number of each space, and what spaces agree on."""

    @overload
    async def trend(
        self,
        spaces: Sequence[SpaceName],
        against: Mapping[str, Any] | Sequence[Any],
        *,
        reference: SpaceName | None = None,
        k: Neighbours = 10,
        metric: str = "mutual_knn",
        families: Mapping[str, str] | Sequence[str] | None = None,
        scale: str = "linear",
        buckets: int | Sequence[float] | None = None,
        against_name: str | None = None,
        wait: Literal[True] = True,
        progress: Progress = False,
        request_id: str | None = None,
        timeout: float | None = None,
        **options: Unpack[AlignmentOptions],
    ) -> TrendReport: ...

    @overload
    async def trend(
        self,
        spaces: Sequence[SpaceName],
        against: Mapping[str, Any] | Sequence[Any],
        *,
        reference: SpaceName | None = None,
        k: Neighbours = 10,
        metric: str = "mutual_knn",
        families: Mapping[str, str] | Sequence[str] | None = None,
        scale: str = "linear",
        buckets: int | Sequence[float] | None = None,
        against_name: str | None = None,
        wait: Literal[False],
        progress: Progress = False,
        request_id: str | None = None,
        timeout: float | None = None,
        **options: Unpack[AlignmentOptions],
    ) -> Operation: ...

    async def trend(
        self,
        spaces: Sequence[SpaceName],
        against: Mapping[str, Any] | Sequence[Any],
        *,
        reference: SpaceName | None = None,
        k: Neighbours = 10,
        metric: str = "mutual_knn",
        families: Mapping[str, str] | Sequence[str] | None = None,
        scale: str = "linear",
        buckets: int | Sequence[float] | None = None,
        against_name: str | None = None,
        wait: bool = True,
        progress: Progress = False,
        request_id: str | None = None,
        timeout: float | None = None,
        **options: Unpack[AlignmentOptions],
    ) -> TrendReport | Operation:
        """Whether alignment grows with a number that each space has: parameters, loss, a benchmark, a training step, a date.

        Every space is searched once, over the items common to all, so that the scores compare.

        Args:
            spaces: at least 3, each once; `name@7` pins version 7.
            against: a number or a date a space: a mapping by name (more names do no harm), a pandas Series likewise, or one value a space
                in their order. A date becomes days since 1970-01-01.
            reference: what each space is aligned with, none of `spaces`; None: each space's mean alignment with the others.
            k: neighbours, or a share of the items as in `align`.
            metric: as in `align`.
            families: a label a space, as `against` is given: a line for each family.
            scale: `linear`, or `log10`: slope and Pearson's r of the logarithms.
            buckets: how many of about equally many spaces, or their inner edges; None is one for every three spaces, at most five.
            against_name: what the numbers are, such as `parameters`, for figures and readers; None is the name of a Series.
            wait: as in `align`, like all that follow.
            progress: as in `align`.
            request_id: as in `align`.
            timeout: as in `align`.
            **options: see `AlignmentOptions`; `permutations` and `seed` also test the trend, `confidence` is that of its intervals too.

        Raises:
            InvalidArgumentError: fewer than 3 spaces, one twice or without a number, numbers that are all equal, the reference among them.
            ConsilienceError: as `align` does.
        """
        request = encode_trend(
            _names.space_refs(spaces),
            against,
            None if reference is None else _names.space_ref(reference, "reference"),
            encode_spec(k=check_one(k), metric=metric, **options),
            families,
            scale,
            buckets,
            against_name,
        )
        request.mode = _names.execution_mode(wait=wait)
        request.request_id = _names.request_id(request_id)
        message, details = await self._call(TREND, request, timeout)
        if not message.HasField("operation"):
            return decode_trend(message, details)
        if not wait:
            return decode_operation(message.operation, details)
        return cast("TrendReport", await self._outcome(message.operation, details.left(timeout), progress, owned=request_id is None))

    @overload
    async def consensus(
        self,
        spaces: Sequence[SpaceName],
        *,
        name: str | None = None,
        method: str = "mean_kernel",
        k: Neighbours = 10,
        metric: str = "mutual_knn",
        rank: int = 512,
        extremes: int = 10,
        wait: Literal[True] = True,
        progress: Progress = False,
        request_id: str | None = None,
        timeout: float | None = None,
        **options: Unpack[AlignmentOptions],
    ) -> ConsensusReport: ...

    @overload
    async def consensus(
        self,
        spaces: Sequence[SpaceName],
        *,
        name: str | None = None,
        method: str = "mean_kernel",
        k: Neighbours = 10,
        metric: str = "mutual_knn",
        rank: int = 512,
        extremes: int = 10,
        wait: Literal[False],
        progress: Progress = False,
        request_id: str | None = None,
        timeout: float | None = None,
        **options: Unpack[AlignmentOptions],
    ) -> Operation: ...

    async def consensus(
        self,
        spaces: Sequence[SpaceName],
        *,
        name: str | None = None,
        method: str = "mean_kernel",
        k: Neighbours = 10,
        metric: str = "mutual_knn",
        rank: int = 512,
        extremes: int = 10,
        wait: bool = True,
        progress: Progress = False,
        request_id: str | None = None,
        timeout: float | None = None,
        **options: Unpack[AlignmentOptions],
    ) -> ConsensusReport | Operation:
        """What spaces agree on, over the items common to all: a space of its own, and how far each space and each item is from it.

        Each space is aligned with the consensus of the *others*, so that none is compared with itself. Spaces of vectors and kernel spaces
        may be mixed.

        Args:
            spaces: at least 2, better 3 or more, each once; `name@7` pins version 7.
            name: keeps the consensus as a space of this name, compared by squared L2 (its squared distances are the means of the spaces');
                None keeps nothing.
            method: `mean_kernel` (mean of the centred kernels, each of Frobenius norm 1: linear ones of vectors, of unit rows under
                cosine; of a kernel space its matrix, a Euclidean distance d as -d^2/2, another dissimilarity as -d) or `procrustes`
                (generalised Procrustes: the mean after the best rotations, a kernel space by its classical scaling).
            k: neighbours of the alignments and of the items' agreement, or a share of the items as in `align`.
            metric: of the alignments, as in `align`, of those that need no units, axes or inner product of the consensus: not `procrustes`
                (ask `angular_shape`), not `cknna`, and `rsa` with `rdm_distance="euclidean"`.
            rank: most axes of the consensus; the answer tells what they keep.
            extremes: how many items agreed on most, and least, are named, at most 1000.
            wait: as in `align`, like all that follow.
            progress: as in `align`.
            request_id: as in `align`; with the same id again a space that was made is found.
            timeout: as in `align`.
            **options: see `AlignmentOptions`; `preprocess` and `group_by` are not served.

        Raises:
            InvalidArgumentError: fewer than 2 spaces, one twice, a malformed name, a metric that a consensus has no units or axes for.
            AlreadyExistsError: a space has this name.
            ConsilienceError: as `align` does.
        """
        request = alignment_pb2.ConsensusRequest(
            spaces=_names.space_refs(spaces),
            consensus_space_id="" if name is None else _names.new_name(name, "name"),
            method=_names.CONSENSUS_METHODS.to_number(method),
            spec=encode_spec(k=check_one(k), metric=metric, **options),
            rank=whole(rank, "rank", least=1),
            extremes=whole(extremes, "extremes", least=1),
            mode=_names.execution_mode(wait=wait),
            request_id=_names.request_id(request_id),
        )
        message, details = await self._call(CONSENSUS, request, timeout)
        if not message.HasField("operation"):
            return decode_consensus(message, details)
        if not wait:
            return decode_operation(message.operation, details)
        return cast("ConsensusReport", await self._outcome(message.operation, details.left(timeout), progress, owned=request_id is None))
