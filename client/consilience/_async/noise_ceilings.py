"""Calls on spaces with repeats."""

from collections.abc import Sequence

from consilience import _names
from consilience._async.alignment import SpaceName
from consilience._async.base import AsyncCalls
from consilience._codec.noise_ceiling import decode_ceiling, decode_reliability
from consilience._methods import MEASURE_NOISE_CEILING, MEASURE_RELIABILITY
from consilience._numbers import UINT64, share, whole
from consilience._results.noise_ceiling import NoiseCeiling, Reliability
from consilience._results.space import Space, SpaceUse
from consilience.v1 import noise_ceiling_pb2


class AsyncNoiseCeilingCalls(AsyncCalls):
    """Noise ceilings and reliability."""

    async def noise_ceiling(
        self,
        space: SpaceName,
        against: SpaceName | Sequence[SpaceName] = (),
        *,
        comparison: str = "spearman",
        rdm_distance: str = "correlation",
        draws: int = 1000,
        seed: int = 0,
        confidence: float = 0.95,
        timeout: float | None = None,
    ) -> NoiseCeiling:
        """How well any space could score against the repeats of a kernel space, and how well others do (RSA; Nili et al. 2014).

        Args:
            space: a kernel space with repeats (subjects, sessions, raters).
            against: a space or several, of vectors or kernels; each is compared with every repeat, and the mean is its score.
            comparison: `spearman`, `pearson`, `kendall_tau_a`, `kendall_tau_b` or `cosine`, over the pairs that both sides have.
            rdm_distance: between the vectors of a space that is no kernel: `correlation`, `cosine`, `euclidean` or `squared_euclidean`.
            draws: of the dual bootstrap over subjects and items, which gives each score its interval; 0 leaves it out.
            seed: of the draws.
            confidence: coverage of the intervals.
            timeout: seconds; None is ten times the client's, for a draw compares all matrices anew.

        Raises:
            InvalidArgumentError: the space has no repeats; fewer than four common items; matrices that tell nothing apart.
            NotFoundError: no such space.
        """
        named = [against] if isinstance(against, str | Space | SpaceUse) else list(against)
        count = whole(draws, "draws")
        request = noise_ceiling_pb2.MeasureNoiseCeilingRequest(
            space=_names.space_ref(space),
            against=_names.space_refs(named, "against"),
            comparison=_names.RDM_COMPARISONS.to_number(comparison),
            rdm_distance=_names.RDM_DISTANCES.to_number(rdm_distance),
            draws=count,
            skip_bootstrap=count == 0,
            seed=whole(seed, "seed", most=UINT64),
            confidence=share(confidence, "confidence"),
        )
        seconds = 10 * self._settings.timeout if timeout is None else timeout
        message, details = await self._call(MEASURE_NOISE_CEILING, request, seconds)
        return decode_ceiling(message.report, details)

    async def reliability(self, spaces: Sequence[SpaceName], *, timeout: float | None = None) -> Reliability:
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
        message, details = await self._call(MEASURE_RELIABILITY, request, timeout)
        return decode_reliability(message, details)
