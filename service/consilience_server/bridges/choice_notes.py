"""What must be known of how a method was chosen: candidates that are missing, and choices that chance alone can make."""

from collections.abc import Sequence

from scipy.stats import binom

from consilience_server.bridges.artefact import MethodName, RetrievalReport
from consilience_server.bridges.fit import BASELINES

FEW_QUERIES = 50
"""Below these recall is known to a tenth or two, and the best of eight methods is often the luckiest."""

_RARE = 0.05


def left_out_notes(methods: Sequence[MethodName]) -> tuple[str, ...]:
    """Of baselines that could not be measured.

    Args:
        methods: in the order tried.
    """
    return tuple(
        f"{method} is not among the candidates: of unequal widths it drops the last dimensions, and leaves an item without a direction"
        for method in methods
    )


def choice_notes(kept: RetrievalReport, candidates: Sequence[RetrievalReport]) -> tuple[str, ...]:
    """Of a choice among methods: whether the one kept retrieves more than nothing learnt would, and whether the queries were many.

    It does where so many hits at rank 1 are rare by chance, which is 1 in the gallery: P(Bin(queries, chance) >= hits) <= .05 / methods,
    for the best of several was kept (Bonferroni); and if it learns a map, where the 95% interval of its recall@1 is above both baselines.

    Args:
        kept: the report of the method kept.
        candidates: of all.
    """
    notes = []
    chance, hits = 1.0 / kept.gallery, round(kept.recalls[1] * kept.queries)
    by_chance = float(binom.sf(hits - 1, kept.queries, chance)) * len(candidates) > _RARE
    rivals = [] if kept.method in BASELINES else [report for report in candidates if report.method in BASELINES]
    if by_chance or any(kept.intervals[1][0] <= rival.recalls[1] for rival in rivals):
        told = ", ".join([f"chance {chance:.3f}", *(f"{rival.method} {rival.recalls[1]:.3f}" for rival in rivals)])
        notes.append(
            f"no method beats the baselines beyond its interval: {kept.method} has recall@1 {kept.recalls[1]:.3f} "
            f"(95% {kept.intervals[1][0]:.3f} to {kept.intervals[1][1]:.3f}), {told}"
        )
    if kept.queries < FEW_QUERIES:
        notes.append(
            f"{kept.method} was chosen among {len(candidates)} methods on {kept.queries:,} queries: another split may choose another"
        )
    return tuple(notes)
