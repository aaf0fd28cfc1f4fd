# Generated from _async/noise_ceilings.py by client/unasync.py; edit that file.
"""Calls on spaces with repeats."""

from collections.abc import Sequence
from typing import Literal, cast, overload

from consilience import _names
from consilience._sync.alignment import SpaceName
from consilience._sync.operations import OperationCalls
from consilience._codec.noise_ceiling import decode_ceiling, decode_reliability
from consilience._codec.operations import decode_operation
from consilience._fields import argument_called
from consilience._methods import MEASURE_NOISE_CEILING, MEASURE_RELIABILITY
from consilience._numbers import UINT64, share, whole
from consilience._progress import Progress
from consilience._results.noise_ceiling import NoiseCeiling, Reliability
from consilience._results.operation import Operation
from consilience._results.space import Space, SpaceUse
from consilience.v1 import noise_ceiling_pb2


class NoiseCeilingCalls(OperationCalls):
    """Noise ceilings and reliability."""

    @overload
    def noise_ceiling(
        self,
        space: SpaceName,
        against: SpaceName | Sequence[SpaceName] = (),
        *,
        comparison: str = "spearman",
        rdm_distance: str = "correlation",
        draws: int = 1000,
        seed: int = 0,
        confidence: float = 0.95,
        wait: Literal[True] = True,
        progress: Progress = False,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> NoiseCeiling: ...

    @overload
    def noise_ceiling(
        self,
        space: SpaceName,
        against: SpaceName | Sequence[SpaceName] = (),
        *,
        comparison: str = "spearman",
        rdm_distance: str = "correlation",
        draws: int = 1000,
        seed: int = 0,
        confidence: float = 0.95,
        wait: Literal[False],
        progress: Progress = False,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> Operation: ...

    def noise_ceiling(
        self,
        space: SpaceName,
        against: SpaceName | Sequence[SpaceName] = (),
        *,
        comparison: str = "spearman",
        rdm_distance: str = "correlation",
        draws: int = 1000,
        seed: int = 0,
        confidence: float = 0.95,
        wait: bool = True,
        progress: Progress = False,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> NoiseCeiling | Operation:
        """How well any space could score against the repeats of a kernel space, and how well others do (RSA; Nili et al. 2014).

        Args:
            space: a kernel space with repeats (subjects, sessions, raters); of recordings as vectors, a space for each session, ask
                `reliability`.
            against: a space or several, of vectors or kernels; each is compared with every repeat, and the mean is its score.
            comparison: `spearman`, `pearson`, `kendall_tau_a`, `kendall_tau_b` or `cosine`, over the pairs that both sides have.
            rdm_distance: between the vectors of a space that is no kernel: `correlation`, `cosine`, `euclidean` or `squared_euclidean`.
            draws: of the dual bootstrap over subjects and items, which gives each score its interval; 0 leaves it out.
            seed: of the draws.
            confidence: coverage of the intervals.
            wait: as in `align`, like all that follow.
            progress: as in `align`.
            request_id: as in `align`.
            timeout: as in `align`.

        Raises:
            InvalidArgumentError: the space has no repeats; fewer than four common items; matrices that tell nothing apart.
            NotFoundError: no such space.
        """
        named = [against] if isinstance(against, str | Space | SpaceUse) else list(against)
        count = whole(draws, "draws")
        with argument_called(rdm_comparison="comparison"):
            request = noise_ceiling_pb2.MeasureNoiseCeilingRequest(
                space=_names.space_ref(space),
                against=_names.space_refs(named, "against"),
                comparison=_names.RDM_COMPARISONS.to_number(comparison),
                rdm_distance=_names.RDM_DISTANCES.to_number(rdm_distance),
                draws=count,
                skip_bootstrap=count == 0,
                seed=whole(seed, "seed", most=UINT64),
                confidence=share(confidence, "confidence"),
                mode=_names.execution_mode(wait=wait),
                request_id=_names.request_id(request_id),
            )
        message, details = self._call(MEASURE_NOISE_CEILING, request, timeout)
        if not message.HasField("operation"):
            return decode_ceiling(message.report, details)
        if not wait:
            return decode_operation(message.operation, details)
        return cast("NoiseCeiling", self._outcome(message.operation, details.left(timeout), progress, owned=request_id is None))

    def reliability(self, spaces: Sequence[SpaceName], *, timeout: float | None = None) -> Reliability:
        """How far the columns (voxels, units) of recordings of the same items agree: the ceiling of what predicts them.

        `report.fit.normalised(reliability)` brings the scores of `linear_predictivity` to it, the mean over the recordings being what was
        predicted.

        Args:
            spaces: two or more spaces of vectors of one width, one a session or repeat; column j of all is the same voxel.
            timeout: seconds.

        Raises:
            InvalidArgumentError: fewer than two spaces, spaces of different widths, a kernel, fewer than three common items.
            NotFoundError: no such space.
        """
        request = noise_ceiling_pb2.MeasureReliabilityRequest(spaces=_names.space_refs(spaces))
        message, details = self._call(MEASURE_RELIABILITY, request, timeout)
        return decode_reliability(message, details)
