"""Calls that measure how far spaces agree."""

from collections.abc import Sequence
from typing import Any, Literal, Unpack, cast, overload

from consilience import _names
from consilience._alignment_options import AlignmentOptions
from consilience._arrays import NO_CONTROLS, ArrayControls, align_arrays_seconds, arrays_of
from consilience._async.operations import AsyncOperationCalls
from consilience._codec.alignment import (
    Controls,
    Neighbours,
    check_one,
    decode_matrix,
    decode_report,
    encode_controls,
    encode_spec,
)
from consilience._codec.operations import decode_operation
from consilience._methods import ALIGN, ALIGN_ARRAYS, ALIGN_MATRIX
from consilience._numbers import seconds
from consilience._progress import Progress
from consilience._results.alignment_matrix import AlignmentMatrix
from consilience._results.alignment_report import AlignmentReport
from consilience._results.operation import Operation
from consilience._results.space import Space, SpaceUse
from consilience.v1 import alignment_pb2

SpaceName = str | Space | SpaceUse
"""`clip`, `clip@7` (pins version 7), a Space, or a SpaceUse (pins its version)."""


class AsyncAlignmentCalls(AsyncOperationCalls):
    """Alignment of two spaces, of many, and of arrays."""

    @overload
    async def align(
        self,
        x: SpaceName,
        y: SpaceName,
        *,
        k: Neighbours | Sequence[Neighbours] = 10,
        metric: str = "mutual_knn",
        controls: Controls = (),
        given: SpaceName | None = None,
        wait: Literal[True] = True,
        progress: Progress = False,
        request_id: str | None = None,
        timeout: float | None = None,
        **options: Unpack[AlignmentOptions],
    ) -> AlignmentReport: ...

    @overload
    async def align(
        self,
        x: SpaceName,
        y: SpaceName,
        *,
        k: Neighbours | Sequence[Neighbours] = 10,
        metric: str = "mutual_knn",
        controls: Controls = (),
        given: SpaceName | None = None,
        wait: Literal[False],
        progress: Progress = False,
        request_id: str | None = None,
        timeout: float | None = None,
        **options: Unpack[AlignmentOptions],
    ) -> Operation: ...

    async def align(
        self,
        x: SpaceName,
        y: SpaceName,
        *,
        k: Neighbours | Sequence[Neighbours] = 10,
        metric: str = "mutual_knn",
        controls: Controls = (),
        given: SpaceName | None = None,
        wait: bool = True,
        progress: Progress = False,
        request_id: str | None = None,
        timeout: float | None = None,
        **options: Unpack[AlignmentOptions],
    ) -> AlignmentReport | Operation:
        """How far two spaces agree, over the items common to both (joined by item id).

        `estimate_alignment` is the dry run: of the same spaces, k, metric and options it tells time, memory and refusals.

        Args:
            x: a space; `name@7` pins version 7. Or `groups/llama`: all spaces made with `group="llama"`, the layers of a model in the order
                of their `layer`. Then every pair of layers is scored, as for `align_arrays` with layers, over the items common to all.
            y: the other, likewise.
            k: neighbours, or a list of them: one search serves all, the first is the headline. `"n/100"` or .01 is a share of the common
                items, floor(n / 100) and at least 1; numbers stand before shares.
            metric: `mutual_knn`, `cycle_knn` (the first step is in y), `lcs_knn`, `edit_distance_knn`, `cka`, `unbiased_cka`, CKNNA as
                its authors' code (`cknna`), their paper (`cknna_paper`) or the Aristotelian paper (`cknna_centred`) has it, `cca`, `svcca`,
                `procrustes` (in units of y), `angular_shape`, `linear_predictivity` (x predicts y), `rsa` or `rbf_cka`;
                `server_info().metrics` tells what is served.
            controls: spaces that might explain the alignment away (raw inputs, random weights). Each is compared with y, in the place of x,
                by the same metric over the items common to all; a mapping `{"pixels": "x", "bag-of-words": "y"}` says whose place each
                takes. The answer has them in `report.controls`, with the difference paired over the items. A control may be a group too,
                `groups/llama-untrained`. Beside groups every control chooses its pair of layers as the alignment does, on the same half or
                as a maximum over the same random pairings, so that neither has the better of a choice.
            given: a third space, beyond which the two (and controls) are aligned: what linear regression on its vectors leaves of them, as
                Theil's residuals of n - 1 - rank of the items, whose random pairings keep the level; of groups, what it leaves of every
                layer. `report.given` tells what it explains.
            wait: False starts an operation and returns it at once.
            progress: for work that the server makes an operation of: True for a bar, or a function told (fraction done, 1).
            request_id: with the same id again, an operation that runs already is found instead of started twice.
            timeout: seconds for everything; None is the client's for the call, and as long as it takes for an operation.
                A wait that ends early, by time or by cancellation, cancels the operation, unless a `request_id` keeps it to be found again.
            **options: preprocessing, permutations, seed, interval and more: see `AlignmentOptions`.

        Raises:
            InvalidArgumentError: no common items, k not below their number, an unknown metric.
            NotFoundError: no such space.
            OverloadedError: the server is busy, or the work exceeds its memory budget.
        """
        spec = encode_spec(k=k, metric=metric, **options)
        request = alignment_pb2.AlignRequest(
            x=_names.side_ref(x, "x"),
            y=_names.side_ref(y, "y"),
            spec=spec,
            mode=_names.execution_mode(wait=wait),
            request_id=_names.request_id(request_id),
            controls=encode_controls(controls),
            given=None if given is None else _names.space_ref(given, "given"),
        )
        message, details = await self._call(ALIGN, request, timeout)
        if not message.HasField("operation"):
            return decode_report(message.report, details)
        if not wait:
            return decode_operation(message.operation, details)
        return cast("AlignmentReport", await self._outcome(message.operation, details.left(timeout), progress, owned=request_id is None))

    async def align_arrays(
        self,
        x: Any,
        y: Any,
        *,
        k: Neighbours | Sequence[Neighbours] = 10,
        metric: str = "mutual_knn",
        similarity: str = "cosine",
        x_kernel: str | None = None,
        y_kernel: str | None = None,
        controls: ArrayControls = NO_CONTROLS,
        given: Any = None,
        timeout: float | None = None,
        **options: Unpack[AlignmentOptions],
    ) -> AlignmentReport:
        """How far two arrays agree whose row i is the same item; nothing is stored. `consilience.align_arrays` needs no server.

        Args:
            x: (n, d): NumPy, torch, lists, Arrow or pandas; or the layers of a model: (n, L, d), or a list of L matrices (n, d_l) of any
                widths. Then every pair of layers is scored over all items (`layer_scores`), and the score is that of one pair
                (`best_layers`): see `layer_selection` in `AlignmentOptions`.
            y: (n, e), or layers likewise.
            k: as in `align`, like all that follow.
            metric: as in `align`.
            similarity: how near two rows are: `cosine`, `inner_product` or `squared_l2`.
            x_kernel: x is a matrix over the items, (n, n) or of dissimilarities condensed, and its entries are of this kind: `similarity`,
                `dissimilarity`, `euclidean` or `squared_euclidean` distances.
            y_kernel: likewise of y.
            controls: as in `consilience.align_arrays`.
            given: as in `consilience.align_arrays`.
            timeout: seconds; None is that of a call, what the bytes take at 2 MB/s, and what n^2 comparisons take on a small machine.
            **options: as in `align`.

        Raises:
            InvalidArgumentError: different numbers of rows, NaN or infinity, zero rows under cosine, k >= n, half of the items where layers
                are chosen on the other half; a layer that is the same for all items.
        """
        arrays = arrays_of(x, y, similarity, k, metric, options, (x_kernel, y_kernel), controls, given)
        limits = await self._limits()
        most = align_arrays_seconds(self._settings.timeout, arrays) if timeout is None else seconds(timeout)
        message, details = await self._upload(ALIGN_ARRAYS, lambda: arrays.requests(limits), most)
        return decode_report(message.report, details)

    @overload
    async def align_matrix(
        self,
        spaces: Sequence[SpaceName],
        *,
        k: Neighbours = 10,
        metric: str = "mutual_knn",
        items: str = "common",
        wait: Literal[True] = True,
        progress: Progress = False,
        request_id: str | None = None,
        timeout: float | None = None,
        **options: Unpack[AlignmentOptions],
    ) -> AlignmentMatrix: ...

    @overload
    async def align_matrix(
        self,
        spaces: Sequence[SpaceName],
        *,
        k: Neighbours = 10,
        metric: str = "mutual_knn",
        items: str = "common",
        wait: Literal[False],
        progress: Progress = False,
        request_id: str | None = None,
        timeout: float | None = None,
        **options: Unpack[AlignmentOptions],
    ) -> Operation: ...

    async def align_matrix(
        self,
        spaces: Sequence[SpaceName],
        *,
        k: Neighbours = 10,
        metric: str = "mutual_knn",
        items: str = "common",
        wait: bool = True,
        progress: Progress = False,
        request_id: str | None = None,
        timeout: float | None = None,
        **options: Unpack[AlignmentOptions],
    ) -> AlignmentMatrix | Operation:
        """How far each two of M spaces agree: M searches, never M * M.

        Args:
            spaces: at least two; `name@7` pins version 7.
            k: neighbours, or a share of the items as in `align`.
            metric: as in `align`.
            items: `common` (the items common to all: scores compare) or `pairwise` (each pair's own: scores of different n do not).
            wait: as in `align`, like all that follow.
            progress: as in `align`.
            request_id: as in `align`.
            timeout: as in `align`.
            **options: as in `align`.

        Raises:
            ConsilienceError: as `align` does.
        """
        spec = encode_spec(k=check_one(k), metric=metric, **options)
        request = alignment_pb2.AlignMatrixRequest(
            spaces=_names.space_refs(spaces),
            spec=spec,
            items=_names.ITEM_POLICIES.to_number(items),
            mode=_names.execution_mode(wait=wait),
            request_id=_names.request_id(request_id),
        )
        message, details = await self._call(ALIGN_MATRIX, request, timeout)
        if not message.HasField("operation"):
            return decode_matrix(message.matrix, details)
        if not wait:
            return decode_operation(message.operation, details)
        return cast("AlignmentMatrix", await self._outcome(message.operation, details.left(timeout), progress, owned=request_id is None))
