"""What an alignment asks, as values: spaces, specification, limits."""

from dataclasses import dataclass, field
from typing import Literal

from consilience_server.app.reports import MetricName, PreprocessName, QuerySampling
from consilience_server.core.layer_choice import LayerSelection
from consilience_server.core.linear_predictivity import PredictivityOptions
from consilience_server.core.rdm import RdmDistance
from consilience_server.core.rsa import RdmComparison
from consilience_server.core.score import IntervalKind
from consilience_server.core.svcca import COMPONENTS


@dataclass(frozen=True)
class SpaceQuery:
    """A space as a caller names it: the bare id, and a version or 0 for the newest."""

    name: str
    version: int = 0


@dataclass(frozen=True)
class GroupQuery:
    """A group of spaces, the layers of a model, as a caller names it: always the newest version of each."""

    name: str


Side = Literal["x", "y"]
"""One of the two spaces of an alignment."""


@dataclass(frozen=True)
class ControlQuery:
    """A space or group that might explain an alignment away (raw inputs, random weights), and the side whose place it takes."""

    space: SpaceQuery | GroupQuery
    in_place_of: Side = "x"


@dataclass(frozen=True)
class AlignmentSpec:
    """Everything that decides an alignment besides the spaces; `permutations` 0 computes no null.

    `k_fractions` are further k as shares of the number of common items: `alignment_query.at_size` makes them numbers once that is known.
    `components` is of `svcca`, `predictivity` of `linear_predictivity`; `rdm_distance` and `rdm_comparison` are of `rsa`, `bandwidth` (None
    for the median) and `bandwidth_factor` of `rbf_cka`. `sample_items` (0 for the metric's own number) and `all_items` are of metrics that
    compare all pairs of items (`item_sample.py`). `context` asks for the geometry of either side.
    `sample_queries` asks that many items of smallest hash (`core/query_sample.py`), `query_ids` those named, each once; 0 and none ask all.
    `duplicate_queries` tells how many more a caller named than there are.
    `deduplicate` is the cosine from which items count as near-duplicates, of which one is kept; 0 keeps all.
    `strata` names the attribute whose values are sampled in proportion; empty samples all items alike.
    `group_by` names the attribute whose equal values are the same thing: a neighbour counts by its group, and the own group is left out.
    `stop_after` draws pairings one by one until that many reach the score (`core/sequential_test.py`); 0 draws all of them.
    `within` names the attribute whose groups restrict the random pairings; empty restricts nothing.
    `layer_selection` matters where a side has layers.
    """

    metric: MetricName = "mutual_knn"
    ks: tuple[int, ...] = (10,)
    preprocess: PreprocessName = "none"
    permutations: int = 999
    seed: int = 0
    alpha: float = 0.05
    interval_kind: IntervalKind = "items"
    confidence: float = 0.95
    sample_queries: int = 0
    k_fractions: tuple[float, ...] = ()
    components: int = COMPONENTS
    query_ids: tuple[str, ...] = ()
    duplicate_queries: int = 0
    deduplicate: float = 0.0
    strata: str = ""
    group_by: str = ""
    within: str = ""
    predictivity: PredictivityOptions = field(default_factory=PredictivityOptions)
    context: bool = False
    layer_selection: LayerSelection = "split_half"
    stop_after: int = 0
    rdm_distance: RdmDistance = "correlation"
    rdm_comparison: RdmComparison = "spearman"
    bandwidth: float | None = None
    bandwidth_factor: float = 1.0
    sample_items: int = 0
    all_items: bool = False

    @property
    def asks_some(self) -> bool:
        """Whether queries are chosen from the items."""
        return bool(self.sample_queries or self.query_ids)

    def queries(self, n: int) -> int:
        """How many of n common items are asked."""
        return min(n, self.sample_queries or len(self.query_ids) or n)

    def sampling(self, n: int) -> QuerySampling:
        """How the queries are chosen from n common items."""
        if self.queries(n) == n:
            return "all"
        if self.query_ids:
            return "given"
        return "stratified" if self.strata else "hash"


@dataclass(frozen=True)
class AlignmentLimits:
    """What one alignment may ask (published by server info), on how many threads, and how fast scans usually are."""

    max_k: int
    max_permutations: int
    threads: int
    flops_per_second: float
