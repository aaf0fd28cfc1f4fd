"""Matches within a kernel space: the nearest items of an item, read from its row of the matrix."""

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.correction import Correction
from consilience_server.app.gallery_search import Found
from consilience_server.app.item_terms import ItemTerms
from consilience_server.app.match_query import MatchQuery
from consilience_server.core.control import Control
from consilience_server.core.csls import neighbourhood_mean
from consilience_server.core.errors import KernelSpace
from consilience_server.core.kernel_kind import KernelKind, nearness
from consilience_server.engine.precomputed_neighbours import kernel_join_bytes, kernel_query

_EXACT_PARTS = "ask by query_ids, exactly and of the whole space"


def check_kernel_query(query: MatchQuery, space: str) -> None:
    """Refuse what a matrix cannot answer: query vectors, approximate indexes, parts of the gallery. KernelSpace."""
    by_ids = query.gallery_ids is not None or bool(query.exclude_ids)
    asked = {
        "query vectors: it has none to compare them with": ("vectors", query.vectors is not None),
        "an approximate index: its scores are stored": ("index", query.index is not None),
        "gallery_ids and exclude_ids": ("gallery_ids.ids" if query.gallery_ids is not None else "exclude_ids.ids", by_ids),
        "filters": ("filter", bool(query.filter)),
    }
    for what, (field, is_asked) in asked.items():
        if is_asked:
            raise KernelSpace(f"space {space!r} is a kernel, which does not serve {what}; {_EXACT_PARTS}", field=field)


def kernel_match_bytes(queries: int, items: int, k: int, correction_k: int) -> int:
    """Peak bytes of `find_in_kernel` beyond the matrix: two searches, with the rows of the items asked."""
    return kernel_join_bytes(queries, items, k) + kernel_join_bytes(items, items, correction_k)


def find_in_kernel(
    matrix: NDArray[np.float32],
    kind: KernelKind,
    rows: NDArray[np.int64],
    k: int,
    correction: Correction,
    control: Control,
) -> Found:
    """The k best of each item asked; equal scores go by row.

    Args:
        matrix: (n, n) float32.
        kind: what its entries are; the similarity of a match is the entry, of a dissimilarity its negative.
        rows: (m,) int64, the items asked; none is its own match.
        k: 1 <= k < n.
        correction: `none`, `csls` or `margin_distance`, both neighbourhoods within the space and smaller than n.
        control: cancellation and progress.
    """
    asked = matrix[rows]
    if correction.name == "none":
        table = kernel_query(asked, rows, kind, k, control=control)
        return Found(table.indices[:, :k], table.scores[:, :k], table.scores[:, :k], table.certificate)
    near = kernel_query(matrix, np.arange(len(matrix)), kind, correction.k, control=control).scores[:, : correction.k]
    terms = ItemTerms(correction, neighbourhood_mean(near, correction.k))
    table = kernel_query(asked, rows, kind, k, bias=terms.bias, control=control)
    found = table.indices[:, :k]
    similarities = nearness(np.take_along_axis(asked, found.astype(np.int64), axis=1), kind)
    return Found(found, similarities, terms.scores(table.scores[:, :k], terms.bias[rows]), table.certificate)
