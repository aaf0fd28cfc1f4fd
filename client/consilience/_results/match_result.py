"""The nearest items of queries."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from consilience._results.arrow import arrow_table, facts, write_parquet
from consilience._results.base import Result, counted, import_pandas
from consilience._results.certificate import Certificate
from consilience._results.space import SpaceUse


@dataclass(frozen=True)
class IndexRecall:
    """Mean share of the exact k best that an approximate index finds, over a probe of queries; `float(recall)` is the value.

    Attributes:
        value: the mean, 0 to 1.
        low, high: Wilson's interval around it.
        confidence: coverage of the interval.
        k: matches of each query.
        probe_queries: queries of the probe: items of the bridge's source space, or of the space itself.
    """

    value: float
    low: float
    high: float
    confidence: float
    k: int
    probe_queries: int

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        return f"recall@{self.k} = {self.value:.3f} [{self.low:.3f}, {self.high:.3f}] ({self.probe_queries} probes, {self.confidence:.0%})"


@dataclass(frozen=True)
class MatchCalibration:
    """What the probabilities of matches come from: a nested logit model of a query's scores, for one gallery, correction and k.

    Attributes:
        pairs: items that both spaces have and the bridge has not seen; it was fitted on them.
        accuracy: share of them whose best match is the partner.
        error: expected calibration error of their best matches, each judged by a model fitted without it: the mean distance between
            probability and frequency, of which chance alone leaves about 1 / sqrt(pairs).
    """

    pairs: int
    accuracy: float
    error: float

    def __str__(self) -> str:
        return f"calibrated on {self.pairs:,} pairs (accuracy {self.accuracy:.3f}, error {self.error:.3f})"


@dataclass(frozen=True, eq=False, repr=False)
class MatchResult(Result):
    """The k best of the gallery for each of n queries, best first.

    Attributes:
        ids: (n, k) array of str.
        similarities: (n, k) float64, the raw similarities.
        scores: (n, k) float64, what ranked; equal to the similarities without a correction.
        correction: `none`, `csls`, `inverted_softmax`, `margin_ratio` or `margin_distance`.
        gallery: the version that was searched.
        bridge: the bridge used; empty within a space.
        bridge_uid: its uid.
        certificate: why the neighbours are exact; None from an approximate index.
        engine: version of the engine that computed it.
        measured_recall: the value of `recall`; None where the search was exact.
        source: the version of the bridge's source space that ids, the correction's bank or the probe were read from; None where none was.
        index: `exact`, or the approximate index that was named.
        index_parameters: what an approximate index was searched with, defaults filled in.
        recall: how much of the exact answer the index finds, measured on a probe; None where the search was exact.
        gallery_items: items that a query could be matched with, before an item is kept from matching itself.
        correction_k: neighbourhood of `csls` and the margins; 0 for others.
        beta: inverse temperature of `inverted_softmax`, of which the scores are logarithms; 0 for others.
        probability: (n, k) float64, how probable it is that a match is the query's partner, where that was asked for and could be
        calibrated; those of a query sum to less than 1. It holds for queries like the pairs of `calibration`, whose partner is in the
        gallery. calibration: what the probabilities come from; None with them.
        warnings: what weakens the answer, a sentence each: spaces that moved on since the bridge was fitted, and why there are no
            probabilities.
        one_to_one: whether no item was given twice.
    """

    ids: NDArray[np.object_]
    similarities: NDArray[np.float64]
    scores: NDArray[np.float64]
    correction: str
    gallery: SpaceUse
    bridge: str = ""
    bridge_uid: str = ""
    certificate: Certificate | None = None
    engine: str = ""
    measured_recall: float | None = None
    source: SpaceUse | None = None
    index: str = "exact"
    index_parameters: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    recall: IndexRecall | None = None
    gallery_items: int = 0
    correction_k: int = 0
    beta: float = 0.0
    probability: NDArray[np.float64] | None = None
    calibration: MatchCalibration | None = None
    warnings: tuple[str, ...] = ()
    one_to_one: bool = False

    @property
    def k(self) -> int:
        """Matches a query."""
        return int(self.ids.shape[1])

    def __len__(self) -> int:
        return int(self.ids.shape[0])

    def rows(self, start: int, stop: int) -> Self:
        """The result of the queries [start, stop) alone; of what a certificate counts, the share of its rows."""
        taken = slice(start, stop)
        certificate = self.certificate and self.certificate.share(len(range(len(self))[taken]), len(self))
        return replace(
            self,
            ids=self.ids[taken],
            similarities=self.similarities[taken],
            scores=self.scores[taken],
            probability=None if self.probability is None else self.probability[taken],
            certificate=certificate,
        )

    def to_pandas(self) -> Any:
        """A DataFrame with one row a match: query (position), rank (from 1), id, similarity, score and, where there is one, probability.

        Needs `consilience[report]`.
        """
        n, k = self.ids.shape
        columns = {
            "query": np.repeat(np.arange(n), k),
            "rank": np.tile(np.arange(1, k + 1), n),
            "id": self.ids.ravel(),
            "similarity": self.similarities.ravel(),
            "score": self.scores.ravel(),
        }
        if self.probability is not None:
            columns["probability"] = self.probability.ravel()
        return import_pandas().DataFrame(columns)

    def to_arrow(self) -> Any:
        """The same as a `pyarrow.Table`; its schema's metadata tells under `consilience` what was searched, and how. Needs pyarrow."""
        n, k = self.ids.shape
        columns = {
            "query": np.repeat(np.arange(n), k),
            "rank": np.tile(np.arange(1, k + 1, dtype=np.int32), n),
            "id": self.ids.ravel(),
            "similarity": self.similarities.ravel(),
            "score": self.scores.ravel(),
        }
        if self.probability is not None:
            columns["probability"] = self.probability.ravel()
        return arrow_table(columns, {**facts("matches", self), "queries": n, "k": k})

    def to_parquet(self, path: str | Path) -> None:
        """Write `to_arrow()` as a Parquet file; it appears whole or not at all. Needs pyarrow."""
        write_parquet(self.to_arrow(), Path(path))

    def __repr__(self) -> str:
        way = f"through {self.bridge} " if self.bridge else ""
        best = f" · best of the first query: {self.ids[0, 0]!r} at {self.similarities[0, 0]:.3f}" if self.ids.size else ""
        how = f" · index {self.index}, {self.recall}" if self.recall else ""
        asked = counted(len(self), "query", "queries")
        what = f"{asked} x {self.k} matches {way}in {self.gallery} · correction {self.correction}{self._number}"
        return f"{what}{how}{best}{self._said}"

    @property
    def _said(self) -> str:
        """What else there is to say."""
        assigned = " · one to one" if self.one_to_one else ""
        return assigned + (f" · {self.calibration}" if self.calibration else "") + "".join(f" · {warning}" for warning in self.warnings)

    @property
    def _number(self) -> str:
        """Of the correction."""
        if self.beta:
            return f" (beta {self.beta:g})"
        return f" (k {self.correction_k})" if self.correction_k else ""
