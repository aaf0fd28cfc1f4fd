"""A fitted bridge with everything that must travel with it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from consilience_server.bridges.convergence import Convergence
from consilience_server.bridges.space_map import SpaceMap
from consilience_server.bridges.stitching_options import StitchingReport
from consilience_server.core.estimate import Estimate
from consilience_server.core.similarity import Similarity
from consilience_server.core.tie_order import tie_keys

MethodName = Literal[
    "identity",
    "mean_shift",
    "procrustes",
    "scaled_procrustes",
    "ridge",
    "affine",
    "relative",
    "whitened",
    "cca",
    "csa",
    "stitching_layer",
    "unsupervised",
    "composed",
]
"""What a bridge can be. All but the last three have a closed form (`bridges/choose.py: METHODS`); stitching layers are
trained on pairs."""


@dataclass(frozen=True)
class RetrievalReport:
    """How often held-out source items find their true partner among all items of the target space.

    Attributes:
        method: what was measured.
        recalls: recall@k by k (1, 5, 10), each in [0, 1], larger is better.
        intervals: (low, high) by k, Wilson 95%.
        mean_reciprocal_rank: over the whole gallery, in (0, 1].
        median_rank: 1 is best.
        queries: held-out pairs.
        gallery: items searched.
        penalty: chosen for ridge and the start of a stitching layer, or the regularisation of whitened, cca and csa, in units of the mean
            eigenvalue; 0 for methods without.
        components: chosen rank of affine, components of cca and csa, anchors of relative; 0 for methods without.
        reciprocal_rank: the mean reciprocal rank with its interval.
        rank: the median rank with its interval; None also with fewer than 6 queries, where no interval reaches 95%.
        foscttm: mean share of the other gallery items that are nearer to the query than its partner is, in [0, 1]; chance .5, 0 is best.
        neighbour_retention, hubness, hubness_csls: of `bridges/neighbourhood.py`. All six are None in artefacts of format 1, the last
            three also in a gallery of one item, or of one query.
        values: where pairs were joined by an attribute, the number of its values among the queries. Any item of a query's value counts as
            found, every value counts once, and intervals are over values (`core/units.py`). 0 where every query has one partner.
    """

    method: MethodName
    recalls: dict[int, float]
    intervals: dict[int, tuple[float, float]]
    mean_reciprocal_rank: float
    median_rank: float
    queries: int
    gallery: int
    penalty: float = 0.0
    components: int = 0
    reciprocal_rank: Estimate | None = None
    rank: Estimate | None = None
    foscttm: Estimate | None = None
    neighbour_retention: Estimate | None = None
    hubness: Estimate | None = None
    hubness_csls: Estimate | None = None
    values: int = 0


@dataclass(frozen=True)
class LearningPoint:
    """Recall@k by k, with its Wilson 95% interval, of the kept method fitted on `pairs` pairs."""

    pairs: int
    recalls: dict[int, float]
    intervals: dict[int, tuple[float, float]]


@dataclass(frozen=True)
class Parent:
    """A bridge that another was made of, as it was then."""

    name: str
    uid: str
    method: MethodName


Derivation = Literal["fitted", "composed", "inverted"]


@dataclass(frozen=True, kw_only=True)
class BridgeFacts:
    """What is known of a bridge beside its map: its direction, and where it came from. `name` is the bare id.

    Attributes:
        held_out: the report of the method kept; None where no pair was left to measure on (`notes` say why).
        candidates: of all that were measured on the same held-out pairs.
        request_id, request_digest: (of everything that was asked) let a repeated request be told from another one; empty without one.
        near_copies: pairs left out of the fit for being nearly the same as a held-out one.
        split_by: the attribute whose equal values stayed on one side of the split: that of the pairs, else `group_id`; empty for none.
        learning_curve: of `bridges/learning_curve.py`.
        derivation: whether it was fitted, or made of others.
        parents: what it was made of, in the order of the call.
        fit_pairs, fit_ids_digest: of a derived bridge the pairs that any parent was fitted on, and the digest of the parents' digests.
        notes: what must be known of it, in plain sentences.
        convergence: of a fit without pairs; None for others.
        pair_attribute: that joined the pairs, many-to-many; empty for pairs by id.
        pairs_left_out: of its values with more pairs than are taken of one.
        stitching: how a stitching layer was trained; None for others.
    """

    name: str
    uid: str
    method: MethodName
    source_name: str
    source_uid: str
    source_version: int
    target_name: str
    target_uid: str
    target_version: int
    target_similarity: Similarity
    fit_pairs: int
    fit_ids_digest: str
    held_out: RetrievalReport | None
    candidates: Sequence[RetrievalReport]
    seed: int
    code_version: str
    create_time: datetime
    request_id: str = ""
    request_digest: str = ""
    near_copies: int = 0
    split_by: str = ""
    learning_curve: Sequence[LearningPoint] = ()
    derivation: Derivation = "fitted"
    parents: Sequence[Parent] = ()
    notes: Sequence[str] = ()
    convergence: Convergence | None = None
    pair_attribute: str = ""
    pairs_left_out: int = 0
    stitching: StitchingReport | None = None


@dataclass(frozen=True, kw_only=True)
class BridgeArtefact(BridgeFacts):
    """What is saved.

    Attributes:
        map: of any kind (`bridges/space_map.py`).
        fit_keys: `pair_keys` of the source ids that it was fitted on; None in format 1.
        fit_target_keys: of the target ids, where they are others than the source ids.
    """

    map: SpaceMap
    fit_keys: NDArray[np.uint64] | None = field(default=None, compare=False)
    fit_target_keys: NDArray[np.uint64] | None = field(default=None, compare=False)

    @property
    def source_dim(self) -> int:
        """Width of what is mapped."""
        return len(self.map.source_mean)

    @property
    def target_dim(self) -> int:
        """Width of the target space."""
        return len(self.map.target_mean)

    @property
    def leads_into_target(self) -> bool:
        """Whether mapped vectors are vectors of the centred target space."""
        return self.map.leads_into_target


@dataclass(frozen=True, kw_only=True)
class BridgeListing(BridgeFacts):
    """What a list tells of a bridge: everything that needs no reading of its map."""

    source_dim: int
    target_dim: int
    leads_into_target: bool


def pair_keys(source_ids: Iterable[str]) -> NDArray[np.uint64]:
    """What an artefact keeps of the pairs it was fitted on: a hash of each source id, 8 bytes, so that none is evaluated on later."""
    return tie_keys("fit", source_ids)


def seen_pairs(artefact: BridgeArtefact, source_ids: NDArray[np.object_], target_ids: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Which pairs a bridge was fitted on, by the id on either side, (n,); none where the artefact does not tell."""
    seen = np.zeros(len(source_ids), dtype=bool)
    for ids, keys in ((source_ids, artefact.fit_keys), (target_ids, artefact.fit_target_keys)):
        if keys is not None:
            seen |= np.isin(pair_keys(ids), keys)
    return seen
