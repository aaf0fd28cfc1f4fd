"""What a trend asks: spaces, the number of each, a reference, buckets and families; and what it answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.alignment_spec import AlignmentSpec, SpaceQuery
from consilience_server.app.measurement import Measurement
from consilience_server.app.pairwise_answer import matrix_bandwidths
from consilience_server.app.reports import AlignmentReport, SpaceUse
from consilience_server.core.buckets import Bucket
from consilience_server.core.correlation import PairingTest
from consilience_server.core.errors import InvalidArgument
from consilience_server.core.score import Score
from consilience_server.engine.alignment_scores import Pair

AgainstScale = Literal["linear", "log10"]
AgainstKind = Literal["number", "date"]
LONGEST_NAME = 100
"""Characters of what the numbers are."""
LEAST_SPACES = 3
"""Two points lie on a line whatever they are."""


@dataclass(frozen=True)
class TrendQuery:
    """Alignment of spaces against a number that each has.

    Attributes:
        spaces: M of them, each named once.
        against: (M,) finite numbers in the order of the spaces.
        spec: how each alignment is measured; one k. Its `permutations` and `seed` also test the trend.
        reference: what each space is aligned with; None: the mean alignment with the others.
        families: (M,) labels, or empty.
        scale: `log10` fits slope and Pearson's r to the logarithms of the numbers.
        bucket_count: of about equally many spaces; 0 is the default for M.
        bucket_edges: inner edges instead, ascending.
        against_name: what the numbers are, for readers and figures; may be empty.
        against_kind: `date` for days since 1970-01-01; measures do not change.
    """

    spaces: Sequence[SpaceQuery]
    against: Sequence[float]
    spec: AlignmentSpec
    reference: SpaceQuery | None = None
    families: Sequence[str] = ()
    scale: AgainstScale = "linear"
    bucket_count: int = 0
    bucket_edges: Sequence[float] = ()
    against_name: str = ""
    against_kind: AgainstKind = "number"


@dataclass(frozen=True)
class FamilyTrend:
    """The least-squares line of one family: `slope` and `spearman` are NaN where its numbers do not differ."""

    name: str
    count: int
    spearman: float
    slope: float
    intercept: float


@dataclass(frozen=True)
class TrendReport:
    """How alignment goes with a number of each space, over the items common to all.

    Attributes:
        query: what was asked.
        spaces: the versions used.
        reference: likewise, None without.
        n: items compared, the same for every score.
        scores: (M,) float64: with the reference, or the mean with the others.
        chance, excess: (M,) likewise.
        against: Spearman's and Pearson's coefficients, their intervals, the test over pairings (None without permutations).
        slope, intercept: of the least-squares line; x is log10 of the number under scale `log10`.
        buckets: by ascending number.
        across, across_errors: (B, B) float64, mean alignment between buckets and its standard error; None with a reference.
        families: one line each, by name.
        pair_scores: (M, M) float64, NaN on the diagonal; None with a reference.
        reports: the M alignments with the reference; empty without.
        warnings: what a reader must know.
        measurement: how the alignments were measured.
    """

    query: TrendQuery
    spaces: Sequence[SpaceUse]
    reference: SpaceUse | None
    n: int
    k: int
    scores: NDArray[np.float64]
    chance: NDArray[np.float64]
    excess: NDArray[np.float64]
    spearman: float
    spearman_interval: tuple[float, float]
    pearson: float
    pearson_interval: tuple[float, float]
    test: PairingTest | None
    slope: float
    intercept: float
    buckets: Sequence[Bucket]
    across: NDArray[np.float64] | None
    across_errors: NDArray[np.float64] | None
    families: Sequence[FamilyTrend]
    pair_scores: NDArray[np.float64] | None
    reports: Sequence[AlignmentReport]
    warnings: Sequence[str]
    measurement: Measurement
    engine: str


@dataclass(frozen=True)
class Aligned:
    """The alignments behind a trend: of each space with the reference, or of each pair, then with the sigma of each space for `rbf_cka`."""

    scores: NDArray[np.float64]
    chance: NDArray[np.float64]
    excess: NDArray[np.float64]
    pairs: NDArray[np.float64] | None = None
    reports: Sequence[AlignmentReport] = ()
    bandwidths: Sequence[float] = ()


def check_trend(query: TrendQuery) -> None:
    """Everything that can be refused before the spaces are looked at: InvalidArgument."""
    names = [space.name for space in query.spaces]
    m = len(names)
    if m < LEAST_SPACES:
        raise InvalidArgument(f"{m} spaces show no trend; give at least {LEAST_SPACES}, better 8 or more", field="spaces")
    if len(set(names)) != m:
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidArgument(f"space {twice!r} is named twice; name each once", field="spaces")
    if query.reference is not None and query.reference.name in names:
        raise InvalidArgument(
            f"the reference {query.reference.name!r} is among the spaces, where it would be compared with itself; leave it out of them",
            field="reference",
        )
    _check_numbers(query, m)
    if len(query.against_name) > LONGEST_NAME:
        raise InvalidArgument(f"against_name has {len(query.against_name):,} characters; give {LONGEST_NAME} at most", field="against_name")
    if query.against_kind == "date" and query.scale == "log10":
        raise InvalidArgument("dates have no logarithm; scale linear", field="scale")
    if query.families and len(query.families) != m:
        raise InvalidArgument(f"{len(query.families)} families for {m} spaces; give one label a space, or none", field="families")
    if query.spec.within and query.reference is None:
        raise InvalidArgument("without a reference no items are paired anew: there is nothing to keep within groups", field="spec.within")
    if query.spec.context and query.reference is None:
        raise InvalidArgument(
            "a trend without a reference has no report that tells contexts; ask describe_space for each space", field="spec.context"
        )
    asked = len(query.spec.ks) + len(query.spec.k_fractions)
    if asked != 1:
        raise InvalidArgument(f"a trend has one k, not {asked}; ask once for each", field="spec.ks")


def _check_numbers(query: TrendQuery, m: int) -> None:
    numbers = np.asarray(query.against, dtype=np.float64)
    if len(numbers) != m:
        raise InvalidArgument(f"{len(numbers)} numbers for {m} spaces; give one a space, in their order", field="against")
    if not np.isfinite(numbers).all():
        raise InvalidArgument(f"{query.spaces[_first(~np.isfinite(numbers))].name!r} has no finite number to compare", field="against")
    if query.scale == "log10" and (numbers <= 0).any():
        at = _first(numbers <= 0)
        raise InvalidArgument(
            f"{query.spaces[at].name!r} has {numbers[at]:g}, which has no logarithm; give numbers above 0, or scale linear", field="against"
        )
    if len(np.unique(numbers)) == 1:
        raise InvalidArgument(f"every space has the number {numbers[0]:g}; a trend needs numbers that differ", field="against")
    edges = query.bucket_edges
    if not all(np.isfinite(edge) for edge in edges) or any(low >= high for low, high in pairwise(edges)):
        raise InvalidArgument("the edges of buckets must be finite and ascend", field="bucket_edges")
    if query.bucket_count > m:
        raise InvalidArgument(f"{query.bucket_count} buckets for {m} spaces; ask for at most one a space", field="bucket_count")


def _first(mask: NDArray[np.bool_]) -> int:
    return int(np.argmax(mask))


def mean_with_others(pairs: Mapping[Pair, Score], m: int) -> Aligned:
    """Each space's mean alignment with the other m - 1, from all pairs (i, j); a metric with a direction counts both of a pair."""
    values = np.full((3, m, m), np.nan)
    for (i, j), score in pairs.items():
        if i != j:
            values[:, i, j] = score.score, score.chance, score.excess
            if (j, i) not in pairs:
                values[:, j, i] = values[:, i, j]
    both = 0.5 * (values + values.transpose(0, 2, 1))
    means = np.nanmean(both, axis=2)
    return Aligned(means[0], means[1], means[2], pairs=values[0], bandwidths=matrix_bandwidths(pairs, m))
