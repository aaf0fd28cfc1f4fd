"""Recall of an approximate index: how much of the exact answer it finds, and how sure that number is."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

CONFIDENCE = 0.95


@dataclass(frozen=True)
class IndexRecall:
    """Mean share of the exact k best that an index finds, over a probe of queries.

    Attributes:
        value: the mean, 0 to 1.
        low: lower end of its interval.
        high: upper end.
        confidence: coverage of the interval.
        k: matches of each query.
        probe_queries: queries of the probe.
    """

    value: float
    low: float
    high: float
    confidence: float
    k: int
    probe_queries: int


def index_recall_at_k(found: NDArray[np.float64], exact: NDArray[np.float64], k: int, confidence: float = CONFIDENCE) -> IndexRecall:
    """Recall@k of answers against the exact ones, by their exact scores.

    ```
    recall = mean_i |{j <= k : found_ij >= exact_ik}| / k
    ```
    Scores rather than ids are compared: of items that tie with the k-th, any is as good an answer as another. The interval is Wilson's for
    as many trials as there are queries. A share of [0, 1] with mean p has at most the variance p (1 - p) of a coin, so the interval is
    conservative; and it keeps a width where every probe was answered in full.

    Args:
        found: (m, >= k) float64, exact scores of what the index found, best first.
        exact: (m, >= k) float64, scores of the exact answer, best first.
        k: matches of each query.
        confidence: coverage in (0, 1).

    Source:
        Wilson 1927, "Probable inference, the law of succession, and statistical inference".
    """
    m = len(exact)
    mean = float((found[:, :k] >= exact[:, k - 1 : k]).mean())
    z = float(ndtri(0.5 + confidence / 2.0))
    centre = (mean + z * z / (2 * m)) / (1 + z * z / m)
    half = z / (1 + z * z / m) * math.sqrt(mean * (1 - mean) / m + z * z / (4 * m * m))
    return IndexRecall(mean, min(mean, centre - half), max(mean, min(1.0, centre + half)), confidence, k, m)
