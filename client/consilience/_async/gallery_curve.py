"""The call for alignment while the gallery grows."""

from collections.abc import Sequence
from typing import Literal, Unpack, cast, overload

from consilience import _names
from consilience._alignment_options import AlignmentOptions
from consilience._async.alignment import SpaceName
from consilience._async.operations import AsyncOperationCalls
from consilience._codec.alignment import Neighbours, encode_spec
from consilience._codec.gallery_curve import check_sizes, decode_gallery_curve
from consilience._codec.operations import decode_operation
from consilience._fields import argument_called
from consilience._methods import GALLERY_CURVE
from consilience._progress import Progress
from consilience._results.gallery_curve import GalleryCurve
from consilience._results.operation import Operation
from consilience.v1 import alignment_pb2


class AsyncGalleryCurveCalls(AsyncOperationCalls):
    """Alignment in nested galleries."""

    @overload
    async def gallery_curve(
        self,
        x: SpaceName,
        y: SpaceName,
        *,
        ks: Neighbours | Sequence[Neighbours] = (1, 10, "n/100"),
        sizes: Sequence[int] | None = None,
        metric: str = "mutual_knn",
        wait: Literal[True] = True,
        progress: Progress = False,
        request_id: str | None = None,
        timeout: float | None = None,
        **options: Unpack[AlignmentOptions],
    ) -> GalleryCurve: ...

    @overload
    async def gallery_curve(
        self,
        x: SpaceName,
        y: SpaceName,
        *,
        ks: Neighbours | Sequence[Neighbours] = (1, 10, "n/100"),
        sizes: Sequence[int] | None = None,
        metric: str = "mutual_knn",
        wait: Literal[False],
        progress: Progress = False,
        request_id: str | None = None,
        timeout: float | None = None,
        **options: Unpack[AlignmentOptions],
    ) -> Operation: ...

    async def gallery_curve(
        self,
        x: SpaceName,
        y: SpaceName,
        *,
        ks: Neighbours | Sequence[Neighbours] = (1, 10, "n/100"),
        sizes: Sequence[int] | None = None,
        metric: str = "mutual_knn",
        wait: bool = True,
        progress: Progress = False,
        request_id: str | None = None,
        timeout: float | None = None,
        **options: Unpack[AlignmentOptions],
    ) -> GalleryCurve | Operation:
        """How alignment goes while the gallery grows: at a fixed k it falls, at a share of the items it shows what lasts.

        The galleries are nested: each is the common items of smallest hash, so that it holds the smaller ones, and every space and version
        gives the same ones. One search a space and gallery serves every k.

        Args:
            x: a space; `name@7` pins version 7.
            y: the other.
            ks: neighbours, numbers before shares of the items, as `k` of `align`.
            sizes: of the galleries, 2 or more, at most all common items; None is all of them, and halves down to 64. Where a metric
                compares a sample of the items, the sample is the largest.
            metric: as in `align`; one without neighbours gives one line.
            wait: as in `align`, like all that follow.
            progress: as in `align`.
            request_id: as in `align`.
            timeout: as in `align`.
            **options: see `AlignmentOptions`; with `sample_queries` the same queries are asked in every gallery that holds them.

        Raises:
            InvalidArgumentError: a size above the number of common items, a k that is not below the smallest size.
            ConsilienceError: as `align` does.
        """
        with argument_called(k="ks"):
            request = alignment_pb2.GalleryCurveRequest(
                x=_names.space_ref(x, "x"),
                y=_names.space_ref(y, "y"),
                spec=encode_spec(k=ks, metric=metric, **options),
                gallery_sizes=check_sizes(sizes),
                mode=_names.execution_mode(wait=wait),
                request_id=_names.request_id(request_id),
            )
            message, details = await self._call(GALLERY_CURVE, request, timeout)
            if not message.HasField("operation"):
                return decode_gallery_curve(message, details)
            if not wait:
                return decode_operation(message.operation, details)
            return cast("GalleryCurve", await self._outcome(message.operation, details.left(timeout), progress, owned=request_id is None))
