"""Exact decisions from scanned proposals, and the certificate of each row."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.exact_score import exact_pair_scores
from consilience_server.engine.neighbour_table import RowTail
from consilience_server.engine.row_blocks import for_row_blocks
from consilience_server.engine.scan import Proposals
from consilience_server.engine.scan_form import GalleryForm, QueryForm, proven

_PAIRS_PER_BLOCK = 2048


@dataclass(frozen=True)
class Gallery:
    """What is searched: raw vectors, their scan form and what is subtracted from their scores.

    Attributes:
        vectors: (n, d) float32, raw.
        form: their scan form.
        bias: (n,) float64, or None where scores rank as they are.
    """

    vectors: NDArray[np.float32]
    form: GalleryForm
    bias: NDArray[np.float64] | None


@dataclass(frozen=True)
class Ranked:
    """A tile after its re-rank.

    Attributes:
        indices: (m, depth) int32, best first.
        scores: (m, depth) float64, exact rank values.
        certified: (m,) bool, whether nothing that was not proposed can belong to the row or tie with its last place. The scores of any
            other row are those of real items, so its last is a lower bound of the true one.
        tails: of certified rows, what ties with the last place beyond the table.
        exact_dots: exact scores computed.
    """

    indices: NDArray[np.int32]
    scores: NDArray[np.float64]
    certified: NDArray[np.bool_]
    tails: list[RowTail]
    exact_dots: int


def exact_rank_values(
    queries: NDArray[np.float32],
    query_norms: NDArray[np.float64],
    gallery: Gallery,
    query_rows: NDArray[np.int64],
    gallery_rows: NDArray[np.int64],
    threads: int,
) -> NDArray[np.float64]:
    """What ranks, for chosen pairs (p,): the exact score s, or 2 s - bias where the gallery has a bias."""
    values = np.empty(len(query_rows))

    def score(block: slice) -> None:
        values[block] = exact_pair_scores(
            queries,
            gallery.vectors,
            gallery.form.similarity,
            query_rows[block],
            gallery_rows[block],
            query_norms=query_norms,
            gallery_norms=gallery.form.norms,
        )

    for_row_blocks(len(values), _PAIRS_PER_BLOCK, threads, score)
    return values if gallery.bias is None else 2.0 * values - gallery.bias[gallery_rows]


def rerank(
    queries: NDArray[np.float32],
    form: QueryForm,
    gallery: Gallery,
    proposals: Proposals,
    exclude: NDArray[np.int64] | None,
    k_max: int,
    depth: int,
    threads: int,
) -> Ranked:
    """Score what could belong to the lists, rank it, and tell which rows are proven.

    A proposal whose scanned value, an upper bound, is below `depth` lower bounds of the same row is not scored: it is strictly worse than
    all of them.

    Args:
        queries: (m, d) float32, raw.
        form: their scan form.
        gallery: what was searched.
        proposals: at least `depth` rows that are not excluded for each query.
        exclude: (m,) gallery row to leave out of each line, -1 for none; None where there is none at all.
        k_max: the largest k that will be asked.
        depth: columns of the table.
        threads: threads for the exact scores.
    """
    m, count = proposals.rows.shape
    excluded = np.zeros((m, count), dtype=np.bool_) if exclude is None else proposals.rows == exclude[:, None]
    query_rows, places = np.nonzero(_contenders(form, gallery.form, proposals, excluded, depth))
    gallery_rows = proposals.rows[query_rows, places]
    values = np.full((m, count), -np.inf)
    values[query_rows, places] = exact_rank_values(queries, form.norms, gallery, query_rows, gallery_rows, threads)
    # By row first, then stably by value: equal values stay by ascending row.
    by_row = np.argsort(proposals.rows, axis=1)
    values = np.take_along_axis(values, by_row, axis=1)
    by_value = np.argsort(-values, axis=1, kind="stable")
    values = np.take_along_axis(values, by_value, axis=1)
    rows = np.take_along_axis(np.take_along_axis(proposals.rows, by_row, axis=1), by_value, axis=1).astype(np.int32)
    last = values[:, depth - 1]
    certified = form.least(last) > proven(proposals.ceiling)
    beyond = (values[:, depth:] == last[:, None]) & (certified & (values[:, k_max - 1] == last))[:, None]
    tails = [
        RowTail(int(row), rows[row, depth:][beyond[row]], int(beyond[row].sum()), ordered=False)
        for row in np.flatnonzero(beyond.any(axis=1))
    ]
    return Ranked(rows[:, :depth], values[:, :depth], certified, tails, len(query_rows))


def _contenders(form: QueryForm, gallery: GalleryForm, proposals: Proposals, excluded: NDArray[np.bool_], depth: int) -> NDArray[np.bool_]:
    """Which proposals could be among the `depth` best of their line: (m, c) bool."""
    upper = proven(proposals.values)
    allowance = gallery.allowance[proposals.rows].astype(np.float64)
    with np.errstate(invalid="ignore"):
        lower = np.where(np.isfinite(allowance), upper - 2.0 * allowance, -np.inf)
    lower[excluded] = -np.inf
    enough = np.partition(lower, lower.shape[1] - depth, axis=1)[:, lower.shape[1] - depth]
    enough -= 2.0 * form.slack * (1.0 + np.abs(form.beta))
    return (upper >= enough[:, None]) & ~excluded
