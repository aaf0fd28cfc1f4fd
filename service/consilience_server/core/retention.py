"""What a change keeps: the share of a measure that is left, with an interval over queries that does not flatter it."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t

from consilience_server.core.intervals import score_limits


@dataclass(frozen=True)
class Kept:
    """A ratio of means over the same queries, and the sums that its interval is computed from.

    Attributes:
        queries: how many.
        kept: mean of what is kept.
        whole: mean of what there was.
        clusters: of queries that are not independent of each other.
        squares_kept, squares_whole, products: sums over clusters of the squared (multiplied) sums of deviations from the means.
        alike: queries that the interval counts where nothing varies: (sum whole)^2 / sum whole^2, of clusters.
    """

    queries: float
    kept: float
    whole: float
    clusters: float
    squares_kept: float
    squares_whole: float
    products: float
    alike: float

    @property
    def value(self) -> float:
        """The ratio; NaN where there was nothing."""
        return self.kept / self.whole if self.whole > 0.0 else math.nan

    def limits(self, confidence: float) -> tuple[float, float]:
        """Where the ratio lies: at each end the widest of three intervals.

        Fieller's: every u that a t-test of mean(kept - u whole) = 0 does not reject. The score interval of a share (`core/intervals.py`)
        with the linearised variance, which stays below 1 where all of few queries keep everything. And Fieller's with one query more, that
        keeps nothing (for the lower end) or everything (for the upper): so that a rare loss that no query met yet does not go uncounted,
        as variances from few queries do. The lower end alone is a bound at (1 + confidence) / 2.

        Source: Fieller, JRSS B 16 (1954); Wilson, JASA 22 (1927); Korn and Graubard, Survey Methodology 24 (1998).
        """
        if not math.isfinite(self.value) or self.clusters < 2:
            return 0.0, math.inf
        degrees = self.clusters - 1.0
        low, high = score_limits(min(self.value, 1.0), self._variance, self.alike, degrees, confidence, 0.0, 1.0)
        quantile = float(t.ppf(0.5 + confidence / 2.0, degrees))
        least, most = _fieller(self, quantile)
        low = min(low, least, _fieller(self._and_one(0.0), quantile)[0])
        high = max(high, most, _fieller(self._and_one(1.0), quantile)[1])
        # Where there was everything, no more than everything can be kept.
        return max(0.0, low), min(high, 1.0) if self.whole == 1.0 else max(high, self.value)

    def of_more(self, growth: float) -> "Kept":
        """The same shares from `growth` times as many queries."""
        sums = {
            name: growth * getattr(self, name) for name in ("queries", "clusters", "squares_kept", "squares_whole", "products", "alike")
        }
        return replace(self, **sums)

    @property
    def scale(self) -> float:
        """What turns sums of squares into variances of means."""
        return self.clusters / (self.clusters - 1.0) / self.queries**2

    @property
    def _variance(self) -> float:
        """Of the ratio, linearised: that of mean(kept - value whole) / whole."""
        squares = self.squares_kept - 2.0 * self.value * self.products + self.value**2 * self.squares_whole
        # Below the rounding of the sums there is none.
        return self.scale * squares / self.whole**2 if squares > 1e-12 * self.queries else 0.0

    def _and_one(self, kept: float) -> "Kept":
        """With one query more, of which there was everything."""
        m = self.queries
        moved_kept, moved_whole = kept - self.kept, 1.0 - self.whole
        weight = m / (m + 1.0)
        return replace(
            self,
            queries=m + 1.0,
            kept=self.kept + moved_kept / (m + 1.0),
            whole=self.whole + moved_whole / (m + 1.0),
            clusters=self.clusters + 1.0,
            squares_kept=self.squares_kept + weight * moved_kept**2,
            squares_whole=self.squares_whole + weight * moved_whole**2,
            products=self.products + weight * moved_kept * moved_whole,
        )


def kept_share(kept: NDArray[np.float64], whole: NDArray[np.float64], clusters: NDArray[np.int64] | None = None) -> Kept:
    """mean(kept) / mean(whole) over the same queries.

    Args:
        kept: (m,) float64 in [0, 1], m >= 1.
        whole: (m,) float64 in [0, 1]; ones make the ratio a mean.
        clusters: (m,) whole numbers from 0, equal for queries that are not independent; None: all are. Queries of one cluster count as
            one draw (Liang and Zeger, Biometrika 73, 1986).
    """
    m, mean_kept, mean_whole = len(kept), float(kept.mean()), float(whole.mean())
    of = np.arange(m) if clusters is None else clusters
    groups = int(of.max()) + 1
    from_kept, from_whole = (np.bincount(of, weights=side, minlength=groups) for side in (kept - mean_kept, whole - mean_whole))
    weights = np.bincount(of, weights=whole, minlength=groups)
    return Kept(
        queries=float(m),
        kept=mean_kept,
        whole=mean_whole,
        clusters=float(groups),
        squares_kept=float(from_kept @ from_kept),
        squares_whole=float(from_whole @ from_whole),
        products=float(from_kept @ from_whole),
        alike=float(weights.sum() ** 2 / (weights**2).sum()) if mean_whole > 0.0 else 0.0,
    )


def _fieller(share: Kept, quantile: float) -> tuple[float, float]:
    """The roots u of (kept - u whole)^2 = t^2 (V_kept - 2 u C + u^2 V_whole); all numbers where `whole` may be 0."""
    square = quantile * quantile * share.scale
    a = share.whole**2 - square * share.squares_whole
    if a <= 0.0:
        return 0.0, math.inf
    b = share.kept * share.whole - square * share.products
    c = share.kept**2 - square * share.squares_kept
    root = math.sqrt(max(b * b - a * c, 0.0))
    return (b - root) / a, (b + root) / a
