"""A fitted bridge with everything that must travel with it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.estimate import Estimate
from consilience_server.core.similarity import Similarity
from consilience_server.core.tie_order import tie_keys

MethodName = Literal["identity", "mean_shift", "procrustes", "scaled_procrustes", "ridge", "affine", "relative", "whitened", "cca", "csa"]


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
        penalty: chosen for ridge, or the regularisation of whitened, cca and csa, in units of the mean eigenvalue; 0 for methods without.
        components: chosen rank of affine, components of cca and csa, anchors of relative; 0 for methods without.
        reciprocal_rank: the mean reciprocal rank with its interval.
        rank: the median rank with its interval.
        foscttm: mean share of the other gallery items that are nearer to the query than its partner is, in [0, 1]; chance .5, 0 is best.
        neighbour_retention, hubness, hubness_csls: of `bridges/neighbourhood.py`. All six are None in artefacts of format 1, the last
            three also in a gallery of one item, or of one query.
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


@dataclass(frozen=True)
class LearningPoint:
    """Recall@k by k, with its Wilson 95% interval, of the kept method fitted on `pairs` pairs."""

    pairs: int
    recalls: dict[int, float]
    intervals: dict[int, tuple[float, float]]


@dataclass(frozen=True)
class BridgeMap:
    """The map itself.

    With c(x; m) = unit(unit(x) - m), a source vector becomes unit(c(x; source_mean) @ weights). Where `target_weights` is None, a gallery
    vector becomes c(t; target_mean), and both meet in the centred target space; else unit(c(t; target_mean) @ target_weights), and both
    meet in a space of their own. They are compared by cosine; with `correlations` by that of `core/csa.py`. `bridges/apply.py` has the
    arithmetic. Identity has the unit matrix and zero means; mean shift has the unit matrix and the means of the fit.

    Attributes:
        weights: (d_source, d) float64; d = d_target where both meet in the target space.
        source_mean: (d_source,) float64, of the unit source rows of the fit.
        target_mean: (d_target,) float64, of the unit target rows of the fit.
        target_weights: (d_target, d) float64, or None.
        correlations: (d,) float64 in [0, 1], or None.
    """

    weights: NDArray[np.float64]
    source_mean: NDArray[np.float64]
    target_mean: NDArray[np.float64]
    target_weights: NDArray[np.float64] | None = None
    correlations: NDArray[np.float64] | None = None

    @property
    def leads_into_target(self) -> bool:
        """Whether mapped vectors are vectors of the (centred) target space: only then can they be stored, composed or inverted there."""
        return self.target_weights is None

    @property
    def width(self) -> int:
        """Of the vectors that are compared."""
        return int(self.weights.shape[1]) + (2 if self.correlations is not None else 0)

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        arrays = (self.weights, self.source_mean, self.target_mean, self.target_weights, self.correlations)
        return sum(int(array.nbytes) for array in arrays if array is not None)


@dataclass(frozen=True)
class BridgeArtefact:
    """What is saved: the map, its direction, and where it came from. `name` is the bare id.

    `held_out` is the report of the method kept, `candidates` those of all that were measured on the same held-out pairs. `request_id` and
    `request_digest` (of everything that was asked) let a repeated fit be told from another one; empty without a request id.

    `near_copies` pairs were left out of the fit for being nearly the same as a held-out one; `split_by` is the attribute whose equal values
    stayed on one side of the split, empty for none. `fit_keys` has the `pair_keys` of the pairs of the fit; None in format 1.
    `learning_curve` is of `bridges/learning_curve.py`.
    """

    name: str
    uid: str
    method: MethodName
    map: BridgeMap
    source_name: str
    source_uid: str
    source_version: int
    target_name: str
    target_uid: str
    target_version: int
    target_similarity: Similarity
    fit_pairs: int
    fit_ids_digest: str
    held_out: RetrievalReport
    candidates: Sequence[RetrievalReport]
    seed: int
    code_version: str
    create_time: datetime
    request_id: str = ""
    request_digest: str = ""
    near_copies: int = 0
    split_by: str = ""
    learning_curve: Sequence[LearningPoint] = ()
    fit_keys: NDArray[np.uint64] | None = field(default=None, compare=False)


def pair_keys(source_ids: Iterable[str]) -> NDArray[np.uint64]:
    """What an artefact keeps of the pairs it was fitted on: a hash of each source id, 8 bytes, so that none is evaluated on later."""
    return tie_keys("fit", source_ids)
