"""Judgements of callers (qrels) as relevant rows of the gallery."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.errors import InvalidArgument
from consilience_server.core.relevance import Relevance


@dataclass(frozen=True)
class Judged:
    """Relevant items of the queries that have any.

    Attributes:
        relevance: of those queries, in their order.
        kept: (m,) int64, their positions among the queries asked.
        notes: what was left out.
    """

    relevance: Relevance
    kept: NDArray[np.int64]
    notes: Sequence[str]


def judged_relevance(
    judgements: Mapping[str, Mapping[str, float]], query_ids: NDArray[np.object_], gallery_ids: NDArray[np.object_], *, own: bool
) -> Judged | None:
    """The rows judged relevant; None without judgements.

    Items of grade 0, items that are not in both galleries, and a query's own item are no relevant items; queries left without any are not
    asked.

    Args:
        judgements: query id to item id to grade.
        query_ids: (m,) of the queries asked.
        gallery_ids: (n,) ascending.
        own: whether a query with the id of an item is that item.

    Raises:
        InvalidArgument: no query is left.
    """
    if not judgements:
        return None
    row = {str(item): at for at, item in enumerate(gallery_ids)}
    kept: list[int] = []
    queries: list[int] = []
    items: list[int] = []
    grades: list[float] = []
    absent = 0
    for at, asked in enumerate(map(str, query_ids)):
        relevant = {item: grade for item, grade in judgements.get(asked, {}).items() if grade > 0.0 and not (own and item == asked)}
        there = {row[item]: grade for item, grade in relevant.items() if item in row}
        absent += len(relevant) - len(there)
        if there:
            for place in sorted(there):
                queries.append(len(kept))
                items.append(place)
                grades.append(there[place])
            kept.append(at)
    if not kept:
        raise InvalidArgument(
            f"none of {len(query_ids):,} queries has a judged item that is relevant and in both spaces; check the ids", field="judgements"
        )
    notes = []
    if absent:
        notes.append(f"{absent:,} judged items are not in both spaces and do not count")
    if len(kept) < len(query_ids):
        notes.append(f"{len(query_ids) - len(kept):,} queries without a relevant item there were not asked")
    relevance = Relevance(np.array(queries, dtype=np.int64), np.array(items, dtype=np.int64), np.array(grades), len(kept))
    return Judged(relevance, np.array(kept, dtype=np.int64), notes)
