"""Bridges as answers tell them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from consilience._results.alignment_at_k import Interval
from consilience._results.base import Result, counted, import_pandas, number
from consilience._results.measured import Measured
from consilience._results.space import SpaceUse
from consilience._results.stitching_layer import StitchingLayer


@dataclass(frozen=True)
class Recall:
    """Share of held-out queries whose true partner is among the first k."""

    k: int
    recall: float
    interval: Interval | None = None


@dataclass(frozen=True)
class RetrievalReport:
    """How well one method finds the true partner of held-out source items.

    Attributes:
        method: for example `ridge`.
        recalls: by k.
        mean_reciprocal_rank, median_rank: of the true partner.
        queries: held-out pairs asked; where an attribute joined pairs, source items.
        gallery: items of the target space that they were searched in.
        penalty: the penalty or regularisation chosen, in units of the mean eigenvalue; 0 for methods without.
        components: chosen rank of affine, components of cca and csa, anchors of relative; 0 for methods without.
        mean_reciprocal_rank_interval, median_rank_interval: over the queries, as all intervals here; of the median
            None with fewer than 6 queries.
        foscttm: mean share of the other gallery items that are nearer to a query than its partner is; chance .5, 0 is best.
        neighbour_retention: mean share of the 10 nearest of the true partner, in the target space itself, that are among the 10 nearest of
            the mapped query.
        hubness, hubness_csls: skewness of how often gallery items are found, raw and after CSLS.
        values: where an attribute joined pairs, its values among the queries: any item of a query's value counts as found, each value
            counts once, and intervals are over values (foscttm has no chance level of .5 then). Else 0.
    """

    method: str
    recalls: Mapping[int, Recall]
    mean_reciprocal_rank: float
    median_rank: float
    queries: int
    gallery: int
    penalty: float = 0.0
    components: int = 0
    mean_reciprocal_rank_interval: Interval | None = None
    median_rank_interval: Interval | None = None
    foscttm: Measured | None = None
    neighbour_retention: Measured | None = None
    hubness: Measured | None = None
    hubness_csls: Measured | None = None
    values: int = 0


@dataclass(frozen=True)
class LearningPoint:
    """Recall by k of the kept method fitted on `pairs` pairs."""

    pairs: int
    recalls: Mapping[int, Recall]


@dataclass(frozen=True)
class ParentBridge:
    """A bridge that another was made of, as it was then; another bridge may have the name since."""

    name: str
    uid: str
    method: str


@dataclass(frozen=True)
class Convergence:
    """Whether a fit without pairs found one answer: two maps fitted on halves of the items that share none.

    Attributes:
        converged: whether (agreement - chance) / (1 - chance) is at least .1.
        agreement: share of the source items asked that both maps lead to one place: their images lie nearer to each other than either to
            its second nearest target item.
        chance: of the image of an item through one map and that of another item through the other.
        queries: source items asked.
        fits: maps fitted, on either half, until two agreed.
    """

    converged: bool
    agreement: Measured
    chance: float
    queries: int
    fits: int

    def __repr__(self) -> str:
        told = "converged" if self.converged else "DID NOT CONVERGE"
        return f"{told}: independent halves agree on {self.agreement} of {self.queries:,} items (chance {number(self.chance)})"


@dataclass(frozen=True, eq=False, repr=False)
class Bridge(Result):
    """A directed map from a source space to a target space, fitted on pairs or made of others; it never changes.

    Attributes:
        name: the id it was fitted under.
        uid: random, never reused.
        version: grows with the format of the artefact, not with refits.
        source, target: the versions that it was fitted on.
        method: the one kept, for example `ridge`.
        source_dim, target_dim: widths.
        fit_pairs: pairs that the kept map was fitted on.
        fit_ids_digest: hex of the BLAKE2b digest of their ids.
        held_out: how well it finds held-out partners.
        candidates: every method and baseline tried, on the same held-out pairs.
        seed: chose the held-out pairs.
        code_version: of the server that fitted it.
        create_time: UTC.
        target_similarity: how near two vectors of the target space are.
        near_copies: pairs left out of the fit because they are nearly the same as a held-out one on either side.
        split_by: the attribute whose equal values stayed on one side of the split: the one that joined the pairs (whose values `group_id`
            may chain to more), or `group_id` where a space has it; empty for none.
        learning_curve: the kept method fitted on an eighth, a quarter, a half and all of its pairs: what more pairs would bring. Empty for
            the baselines.
        leads_into_target: whether mapped vectors are vectors of the target space; else both sides are mapped into a space of their own.
        derivation: `fitted`, `composed` or `inverted`.
        parents: what it was composed of, or the one that it inverts; `fit_pairs` are then those that any of them was fitted on.
        notes: what must be known of it, in plain sentences: a space that moved on since (asked of one bridge, not of a list), a report that
            is missing because no pair was left that no parent was fitted on.
        convergence: of a fit without pairs; None for others.
        pair_attribute: joined its pairs, many-to-many; empty for pairs by id.
        pairs_left_out: of values with more pairs than are taken of one; `notes` tell.
        stitching: how a stitching layer was trained; None for others.
    """

    name: str
    uid: str
    version: int
    source: SpaceUse
    target: SpaceUse
    method: str
    source_dim: int
    target_dim: int
    fit_pairs: int
    fit_ids_digest: str
    held_out: RetrievalReport | None
    candidates: tuple[RetrievalReport, ...]
    seed: int
    code_version: str
    create_time: datetime | None
    target_similarity: str
    near_copies: int = 0
    split_by: str = ""
    leads_into_target: bool = True
    learning_curve: tuple[LearningPoint, ...] = ()
    derivation: str = "fitted"
    parents: tuple[ParentBridge, ...] = ()
    notes: tuple[str, ...] = ()
    convergence: Convergence | None = None
    pair_attribute: str = ""
    pairs_left_out: int = 0
    stitching: StitchingLayer | None = None

    def to_pandas(self) -> Any:
        """A DataFrame with one row a candidate: method, what was chosen for it, recall@k. Needs `consilience[report]`."""
        rows = [
            {
                "method": report.method,
                "penalty": report.penalty,
                "components": report.components,
                **{f"recall@{k}": recall.recall for k, recall in report.recalls.items()},
                "mean_reciprocal_rank": report.mean_reciprocal_rank,
                "median_rank": report.median_rank,
                **{
                    name: None if measured is None else measured.value
                    for name, measured in (
                        ("foscttm", report.foscttm),
                        ("neighbour_retention", report.neighbour_retention),
                        ("hubness", report.hubness),
                        ("hubness_csls", report.hubness_csls),
                    )
                },
                "queries": report.queries,
                "gallery": report.gallery,
            }
            for report in self.candidates
        ]
        return import_pandas().DataFrame(rows)

    def __repr__(self) -> str:
        told = f"bridge {self.name}: {self.source} to {self.target} · {self.method} on {self.fit_pairs:,} pairs"
        if self.pair_attribute:
            told += f" of equal {self.pair_attribute}"
        if self.parents:
            told += f" · {self.derivation} of {', '.join(parent.name for parent in self.parents)}"
        if self.held_out is not None:
            recalls = " · ".join(f"recall@{k} {number(recall.recall)}" for k, recall in self.held_out.recalls.items())
            told += f" · held out: {recalls} ({counted(self.held_out.queries, 'query', 'queries')} in {self.held_out.gallery:,})"
        layer = () if self.stitching is None else (f"  {self.stitching}",)
        return "\n".join([told, *layer, *(f"  {note}" for note in self.notes)])
