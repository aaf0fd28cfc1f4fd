"""Retrieval of held-out pairs through a map: recall, ranks, and what becomes of neighbourhoods."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from consilience_server.bridges.apply import centre_gallery, make_ready, map_vectors
from consilience_server.bridges.artefact import MethodName, RetrievalReport
from consilience_server.bridges.joined_values import JoinedValues
from consilience_server.bridges.neighbourhood import MAX_QUERIES, native_lists, neighbourhood
from consilience_server.bridges.space_map import SpaceMap
from consilience_server.bridges.tuning import Tuning
from consilience_server.core.control import Control
from consilience_server.core.estimate import Estimate, mean_estimate, median_estimate
from consilience_server.core.infonce import infonce_terms
from consilience_server.core.retrieval import nearest_partners, partner_ranks, wilson_interval
from consilience_server.core.similarity import Similarity
from consilience_server.core.units import unit_means, unit_medians
from consilience_server.engine.protocol import NeighbourEngine

REPORTED_KS = (1, 5, 10)

MAX_HELD_OUT_QUERIES = 4096
"""Held-out pairs that are asked, by hash: recall is then known to .008 (one standard error), whatever the number held out."""

_KEPT_GALLERIES = 2
"""Centred, each as large as the gallery: of the baseline without a mean, and of the maps of one fit."""
MAX_INFORMATION_PAIRS = 2048
"""Of the bound on mutual information, by hash: it can show log 2048 = 7.6 nats at most, and holds their matrix a few times."""


@dataclass(frozen=True)
class FitProblem:
    """Pairs, split, and the gallery that held-out sources are searched in.

    Attributes:
        x: (f, d_x) float32, source rows of the fit in random order.
        y: (f, d_y) float32, their partners.
        queries: (h, d_x) float32, held-out source rows in random order.
        partners: (h,) int64, the gallery row of each held-out partner.
        gallery: (n, d_y) float32, all items of the target space, raw.
        query_ids: (h,) names of the held-out source items, for messages.
        gallery_ids: (n,) names of the gallery's items, for messages.
        similarity: of the target space, for the neighbours its items have there.
        joined: where pairs were joined by an attribute: any gallery item of a query's value counts as found, and a value is one draw. Then
            each query is a source item, told once, and `partners` has one of its partners.
        groups: (f,) int64, equal for pairs of the fit that no fold of its cross-validation may tear apart; None: each stands alone.
    """

    x: NDArray[np.float32]
    y: NDArray[np.float32]
    queries: NDArray[np.float32]
    partners: NDArray[np.int64]
    gallery: NDArray[np.float32]
    query_ids: NDArray[np.object_]
    gallery_ids: NDArray[np.object_]
    similarity: Similarity = Similarity.COSINE
    joined: JoinedValues | None = None
    groups: NDArray[np.int64] | None = None

    @property
    def folds(self) -> NDArray[np.int64] | None:
        """(f,) equal for pairs that no fold may tear apart."""
        return self.groups if self.joined is None else self.joined.fit

    @property
    def fitted(self) -> int:
        """Independent draws that a fit sees: pairs, or groups of joined ones (values, and what chains them)."""
        return len(self.x) if self.joined is None else self.joined.fitted

    def first_of_fit(self, share: float) -> NDArray[np.int64]:
        """Positions of the pairs of the first `share` of these."""
        return np.arange(int(share * len(self.x))) if self.joined is None else self.joined.first_of_fit(share)

    def units(self, asked: int) -> NDArray[np.int64] | None:
        """Of the first `asked` queries (`core/units.py`)."""
        return None if self.joined is None else self.joined.queries[:asked]


class HeldOutRetrieval:
    """Measures maps on the same held-out pairs; what several need is computed once.

    Args:
        problem: pairs and gallery.
        engine: searches neighbourhoods.
        control: cancellation of what is shared.
    """

    def __init__(self, problem: FitProblem, engine: NeighbourEngine, control: Control) -> None:
        self._problem = problem
        self._engine = engine
        self._control = control.silent()
        self._galleries: dict[bytes, NDArray[np.float32]] = {}

    def measure(self, method: MethodName, bridge: SpaceMap, tuning: Tuning, control: Control) -> tuple[RetrievalReport, NDArray[np.int64]]:
        """The report of one map and the partners' ranks; ZeroVector where an item has no direction on either side."""
        mapped, gallery = self._sides(bridge, control)
        ranks = self._ranks(mapped, gallery, control)
        units = self._problem.units(len(ranks))
        recalls, intervals = _recalls(ranks, units)
        reciprocal = mean_estimate(unit_means(1.0 / ranks, units), 0.0, 1.0)
        medians = unit_medians(ranks, units)
        others = max(len(gallery) - 1, 1)
        report = RetrievalReport(
            method=method,
            recalls=recalls,
            intervals=intervals,
            mean_reciprocal_rank=reciprocal.value,
            median_rank=float(np.median(medians)),
            queries=len(ranks),
            gallery=len(gallery),
            penalty=tuning.penalty,
            components=tuning.components,
            reciprocal_rank=reciprocal,
            rank=median_estimate(medians),
            foscttm=mean_estimate(unit_means((ranks - 1) / others, units), 0.0, 1.0),
            values=0 if units is None else len(np.unique(units)),
            **self._neighbours(mapped, gallery),
        )
        return report, ranks

    def recalls(self, bridge: SpaceMap, control: Control) -> tuple[dict[int, float], dict[int, tuple[float, float]]]:
        """Recall@k of a map and its intervals, and no more."""
        ranks = self.ranks(bridge, control)
        return _recalls(ranks, self._problem.units(len(ranks)))

    def ranks(self, bridge: SpaceMap, control: Control) -> NDArray[np.int64]:
        """(h,) of each held-out partner among the gallery, from 1; ZeroVector as above."""
        return self._ranks(*self._sides(bridge, control), control)

    def information(self, bridge: SpaceMap, temperature: float, control: Control) -> tuple[Estimate, int]:
        """The bound of `core/infonce.py` on the mutual information of mapped sources and targets, in nats, and the pairs it is of.

        Its interval is Student's over the pairs as if they were independent, which they nearly are: each is compared with all others.
        """
        mapped, gallery = self._sides(bridge, control)
        control.check()
        count = min(len(mapped), MAX_INFORMATION_PAIRS)
        partners = gallery[self._problem.partners[:count]]
        terms = infonce_terms(mapped[:count].astype(np.float64), partners.astype(np.float64), temperature)
        return mean_estimate(terms, min(float(terms.min()), 0.0), math.log(count)), count

    def _sides(self, bridge: SpaceMap, control: Control) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The queries that are asked and the gallery, where they meet."""
        asked = slice(0, MAX_HELD_OUT_QUERIES)
        gallery = self._gallery(bridge, control.part(0.5, 0.8))
        mapped = map_vectors(make_ready(bridge), self._problem.queries[asked], control.part(0.8, 1.0), self._problem.query_ids[asked])
        return mapped, gallery

    def _ranks(self, mapped: NDArray[np.float32], gallery: NDArray[np.float32], control: Control) -> NDArray[np.int64]:
        partners, joined = self._problem.partners[: len(mapped)], self._problem.joined
        if joined is not None:
            partners = nearest_partners(mapped, gallery, joined.queries[: len(mapped)], joined.gallery, control.check)
        return partner_ranks(mapped, gallery, partners, control.check)

    def _gallery(self, bridge: SpaceMap, control: Control) -> NDArray[np.float32]:
        """Of maps into the target space, those with one target mean share one."""
        if not bridge.leads_into_target:
            return centre_gallery(make_ready(bridge), self._problem.gallery, control, self._problem.gallery_ids)
        key = bridge.target_mean.tobytes()
        if key not in self._galleries:
            # Parts of the pairs have means of their own, which nobody asks for again.
            while len(self._galleries) >= _KEPT_GALLERIES:
                del self._galleries[next(iter(self._galleries))]
            self._galleries[key] = centre_gallery(make_ready(bridge), self._problem.gallery, control, self._problem.gallery_ids)
        return self._galleries[key]

    def _neighbours(self, mapped: NDArray[np.float32], gallery: NDArray[np.float32]) -> dict[str, Estimate]:
        if min(len(gallery), len(mapped)) < 2:  # one item has no neighbours, one query no spread
            return {}
        native = self._native
        some = slice(0, len(native))
        found = neighbourhood(
            mapped[some], gallery, self._problem.partners[some], native, self._engine, self._control, self._problem.units(len(native))
        )
        return {"neighbour_retention": found.retention, "hubness": found.hubness, "hubness_csls": found.hubness_csls}

    @cached_property
    def _native(self) -> NDArray[np.int32]:
        problem = self._problem
        partners = problem.partners[: min(MAX_QUERIES, MAX_HELD_OUT_QUERIES)]
        return native_lists(problem.gallery, partners, problem.similarity, self._engine, self._control)


def _recalls(ranks: NDArray[np.int64], units: NDArray[np.int64] | None) -> tuple[dict[int, float], dict[int, tuple[float, float]]]:
    """Mean share of each unit's queries that are found by k, and Wilson's interval over units."""
    found = {k: unit_means((ranks <= k).astype(np.float64), units) for k in REPORTED_KS}
    intervals = {k: wilson_interval(float(shares.sum()), len(shares)) for k, shares in found.items()}
    return {k: float(shares.mean()) for k, shares in found.items()}, intervals
