"""A fitted bridge with everything that must travel with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.similarity import Similarity

MethodName = Literal["identity", "mean_shift", "ridge", "procrustes"]


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
        penalty: the ridge penalty chosen, in units of the mean eigenvalue; 0 for methods without.
    """

    method: MethodName
    recalls: dict[int, float]
    intervals: dict[int, tuple[float, float]]
    mean_reciprocal_rank: float
    median_rank: float
    queries: int
    gallery: int
    penalty: float = 0.0


@dataclass(frozen=True)
class BridgeMap:
    """The map itself.

    With c(x; m) = unit(unit(x) - m), a source vector becomes unit(c(x; source_mean) @ weights), a gallery vector c(t; target_mean).
    Queries and gallery meet in the centred target space, under cosine. `bridges/apply.py` has the arithmetic. Identity has the unit matrix
    and zero means; mean shift has the unit matrix and the means of the fit.

    Attributes:
        weights: (d_source, d_target) float64.
        source_mean: (d_source,) float64, of the unit source rows of the fit.
        target_mean: (d_target,) float64, of the unit target rows of the fit.
    """

    weights: NDArray[np.float64]
    source_mean: NDArray[np.float64]
    target_mean: NDArray[np.float64]


@dataclass(frozen=True)
class BridgeArtefact:
    """What is saved: the map, its direction, and where it came from. `name` is the bare id.

    `held_out` is the report of the method kept, `candidates` those of all that were measured on the same held-out pairs. `request_id` and
    `request_digest` (of everything that was asked) let a repeated fit be told from another one; empty without a request id.
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
