"""What the use cases answer: frozen values, free of transport."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.correction import CorrectionName
from consilience_server.core.differences import Difference
from consilience_server.core.index_recall import IndexRecall
from consilience_server.core.layer_choice import LayerSelection
from consilience_server.core.linear_predictivity import PredictivityOptions
from consilience_server.core.match_calibration import MatchCalibration
from consilience_server.core.pair_agreement import PairAgreement
from consilience_server.core.pair_modes import PairMode
from consilience_server.core.rdm import RdmDistance
from consilience_server.core.rsa import RdmComparison
from consilience_server.core.score import IntervalKind, Score
from consilience_server.core.similarity import Similarity
from consilience_server.core.space_geometry import SpaceGeometry
from consilience_server.engine.approximate import IndexChoice
from consilience_server.engine.protocol import Certificate

NeighbourMetric = Literal["mutual_knn", "cycle_knn", "lcs_knn", "edit_distance_knn", "cknna", "cknna_paper", "cknna_centred"]
MetricName = (
    NeighbourMetric | Literal["cka", "unbiased_cka", "cca", "svcca", "procrustes", "angular_shape", "linear_predictivity", "rsa", "rbf_cka"]
)
PreprocessName = Literal["none", "platonic_rep", "centre", "standardize", "unit"]
ItemPolicy = Literal["common", "pairwise"]
QuerySampling = Literal["all", "hash", "given", "stratified"]


@dataclass(frozen=True)
class SpaceUse:
    """A space as an answer used it."""

    name: str
    uid: str
    version: int


@dataclass(frozen=True)
class Within:
    """Groups that random pairings kept items in: their attribute (empty for arrays), their number, and how many items are alone in one."""

    attribute: str
    groups: int
    fixed: int


@dataclass(frozen=True)
class Given:
    """A third space beyond which two were aligned.

    Attributes:
        space: the version used.
        rank: dimensions that it spans.
        items: common items before the regression took its degrees of freedom.
        explained_x, explained_y: share of each side's variance that it explains linearly; of the chosen layers where a side has some.
        layers_explained: of every layer of x and of y; empty without layers.
    """

    space: SpaceUse
    rank: int
    items: int
    explained_x: float
    explained_y: float
    layers_explained: tuple[Sequence[float], Sequence[float]] = ((), ())


@dataclass(frozen=True)
class ControlReport:
    """A control's scores with the other side, and how much higher the alignment is, for each k.

    `layers` where the sides of the alignment or of a control have some: those of the control in the place of the side that it takes.
    """

    space: SpaceUse
    in_place_of: Literal["x", "y"]
    by_k: Sequence[Score]
    differences: Sequence[Difference]
    dropped: int
    layers: "LayerComparison | None" = None


@dataclass(frozen=True)
class LayerComparison:
    """Two sides of L_x and L_y layers: every pair of layers over all n common items, the pair that was chosen, and the maximum.

    Attributes:
        selection: how the pair was chosen.
        scores: (L_x, L_y) float64, for the first k asked.
        p_values, calibrated: (L_x, L_y), of each pair by itself, not corrected for the choice; None without permutations.
        best: the chosen pair (layer of x, layer of y), from 0.
        maximum: the largest of all pairs, calibrated as a maximum; None without permutations, or with one pair.
        maximum_at: the pair that has it.
        n: items of the grid and of the maximum.
        selection_n: items on which the pair was chosen, none of which the report's score is over; 0 where nothing was chosen that way.
        x_layers, y_layers: the spaces that are the layers of a group; empty for arrays and for a single space.
    """

    selection: LayerSelection
    scores: NDArray[np.float64]
    p_values: NDArray[np.float64] | None
    calibrated: NDArray[np.float64] | None
    best: tuple[int, int]
    maximum: Score | None
    maximum_at: tuple[int, int]
    n: int
    selection_n: int
    x_layers: Sequence[SpaceUse]
    y_layers: Sequence[SpaceUse]


@dataclass(frozen=True)
class ComparedSpace:
    """How a space entered an alignment of many; the contract's `ComparedSpace` says what each field means."""

    similarity: Similarity | None
    kernel_rule: str
    clip: float | None = None
    constant_columns: int | None = None
    context: SpaceGeometry | None = None


@dataclass(frozen=True)
class RdmOptions:
    """How `rsa` measured two items, and compared the matrices of two spaces."""

    distance: RdmDistance
    comparison: RdmComparison


@dataclass(frozen=True)
class SampledItems:
    """The hash sample of the common items that a score was estimated from (`item_sample.py`).

    Attributes:
        count: its size.
        common: items that it was chosen from.
        ids: of the items, in byte order; empty for arrays.
        rows: for arrays, the rows of the items, ascending.
    """

    count: int
    common: int
    ids: Sequence[str]
    rows: Sequence[int]


@dataclass(frozen=True)
class AlignmentReport:
    """The alignment of two spaces over their common items: `n` of them were asked, against all `gallery` of them.

    Of two sides with layers it is that of the chosen pair of layers, over the items on which it was not chosen.

    Attributes:
        kernel_rule_x, kernel_rule_y: what the metric compared of an entry of a kernel space, as a formula; empty for vectors.
    """

    metric: MetricName
    by_k: Sequence[Score]
    n: int
    gallery: int
    dropped_x: int
    dropped_y: int
    preprocess: PreprocessName
    clips: Sequence[float]
    permutations: int
    seed: int
    alpha: float
    x: SpaceUse
    y: SpaceUse
    engine: str
    certificate_x: Certificate | None
    certificate_y: Certificate | None
    query_sampling: QuerySampling = "all"
    group_by: str = ""
    groups: int = 0
    strata: str = ""
    duplicates: int = 0
    deduplicate: float = 0.0
    warnings: Sequence[str] = ()
    within: Within | None = None
    constant_columns: Sequence[int] = ()
    contexts: tuple[SpaceGeometry | None, SpaceGeometry | None] = (None, None)
    kernel_rule_x: str = ""
    kernel_rule_y: str = ""
    controls: Sequence[ControlReport] = ()
    similarities: tuple[Similarity | None, Similarity | None] = (None, None)
    layers: LayerComparison | None = None
    stop_after: int = 0
    given: Given | None = None
    sampled_items: SampledItems | None = None
    rdm: RdmOptions | None = None
    bandwidths: Sequence[float] = ()
    duplicate_queries: int = 0
    layer_contexts: tuple[Sequence[SpaceGeometry], Sequence[SpaceGeometry]] = ((), ())

    @property
    def headline(self) -> Score:
        """The score of the first k asked."""
        return self.by_k[0]


@dataclass(frozen=True)
class AlignmentMatrix:
    """All pairs of M spaces: every array is (M, M) float64 and, but for metrics that are not, symmetric; `n` and `gallery` are int64.

    `coordinates` are (M, 2); they and what follows to `q_values` are those of `matrix_statistics.py`.
    """

    metric: MetricName
    spaces: Sequence[SpaceUse]
    scores: NDArray[np.float64]
    chance: NDArray[np.float64]
    excess: NDArray[np.float64]
    calibrated: NDArray[np.float64]
    p_values: NDArray[np.float64]
    interval_low: NDArray[np.float64]
    interval_high: NDArray[np.float64]
    interval_kind: IntervalKind
    confidence: float
    n: NDArray[np.int64]
    k: int
    permutations: int
    seed: int
    alpha: float
    preprocess: PreprocessName
    items: ItemPolicy
    engine: str
    gallery: NDArray[np.int64]
    coordinates: NDArray[np.float64]
    explained: float
    stress: float
    order: Sequence[int]
    p_adjusted: NDArray[np.float64] | None = None
    q_values: NDArray[np.float64] | None = None
    query_sampling: QuerySampling = "all"
    strata: str = ""
    duplicates: int = 0
    deduplicate: float = 0.0
    warnings: Sequence[str] = ()
    within: Within | None = None
    sampled_items: SampledItems | None = None
    rdm: RdmOptions | None = None
    bandwidths: Sequence[float] = ()
    components: int = 0
    predictivity: PredictivityOptions | None = None
    compared: Sequence[ComparedSpace] = ()
    group_by: str = ""
    groups: int = 0
    duplicate_queries: int = 0


@dataclass(frozen=True)
class MatchReport:
    """The k best of each query: `ids` row-major (queries * k), `similarities` and `scores` (queries, k) float64, best score first.

    Attributes:
        certificate: None where an approximate index answered.
        source: the version of the bridge's source space that ids, the correction's bank or the probe were read from, None where none was.
        index: the approximate index that was named, None for an exact search.
        recall: of that index.
        gallery_items: items that a query could be matched with, before an item is kept from matching itself.
        correction_k: neighbourhood of the correction, 0 where it has none.
        beta: inverse temperature of the inverted softmax, 0 for others.
        probabilities: (queries, k) float64 where they were asked for and could be calibrated, else None.
        calibration: what they come from; None with them.
        warnings: what weakens the answer, a sentence each: spaces that moved on since the bridge was fitted, probabilities that there are
        not. one_to_one: no item was given twice.
    """

    ids: Sequence[str]
    similarities: NDArray[np.float64]
    scores: NDArray[np.float64]
    correction: CorrectionName
    gallery: SpaceUse
    bridge: str
    bridge_uid: str
    certificate: Certificate | None
    engine: str
    source: SpaceUse | None = None
    index: IndexChoice | None = None
    recall: IndexRecall | None = None
    gallery_items: int = 0
    correction_k: int = 0
    beta: float = 0.0
    probabilities: NDArray[np.float64] | None = None
    calibration: MatchCalibration | None = None
    warnings: Sequence[str] = ()
    one_to_one: bool = False


@dataclass(frozen=True)
class PairsSummary:
    """What the pairs of two spaces are, beside the pairs themselves.

    Attributes:
        pairs: how many, with threshold and limit.
        correction_k: neighbourhood of the correction, 0 where it has none.
        agreement: how they fare by known pairs, None where none were given.
    """

    pairs: int
    source_items: int
    target_items: int
    source: SpaceUse
    target: SpaceUse
    bridge: str
    bridge_uid: str
    correction: CorrectionName
    correction_k: int
    mode: PairMode
    threshold: float | None
    engine: str
    agreement: PairAgreement | None = None


@dataclass(frozen=True)
class PairBlock:
    """Consecutive pairs by descending score, then source id, then target id.

    Attributes:
        first: position of the first pair in the whole answer.
        resume_token: continues behind this block; empty at the end.
        summary: of the whole answer; in the first block only.
    """

    source_ids: Sequence[str]
    target_ids: Sequence[str]
    similarities: NDArray[np.float64]
    scores: NDArray[np.float64]
    first: int
    resume_token: str
    summary: PairsSummary | None
