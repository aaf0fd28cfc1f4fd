"""Which items ask in an evaluation of an upgrade, and which of the others a bridge may be fitted on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.joins import Join
from consilience_server.app.spaces import rows_of
from consilience_server.app.upgrade_query import UpgradeQuery
from consilience_server.bridges.artefact import pair_keys
from consilience_server.bridges.held_out import split_pairs
from consilience_server.bridges.held_out_retrieval import MAX_HELD_OUT_QUERIES
from consilience_server.core.errors import TooFewItems, TooFewPairs
from consilience_server.core.tie_order import tie_keys

_LEFT_FOR_THE_FIT = 0.8


@dataclass(frozen=True)
class Asked:
    """Positions among the common items of gallery or query spaces.

    Attributes:
        queries: (m,) int64, in an order by hash.
        fitted: left out because the given bridge was fitted on them.
        unknown: judged queries that are not there.
    """

    queries: NDArray[np.int64]
    fitted: int = 0
    unknown: int = 0


def choose_queries(
    query: UpgradeQuery, joined: Join, groups: NDArray[np.int64] | None, fit_keys: NDArray[np.uint64] | None, *, apart: bool
) -> Asked:
    """Who asks: those named, those judged, or a sample by hash of whole groups; never one that the given bridge was fitted on.

    A sample leaves four fifths of the items for the fit where the bridge is still to be fitted on them.

    Args:
        query: what was asked.
        joined: the items that can ask.
        groups: (n,) of these, or None.
        fit_keys: of the given bridge, or None.
        apart: whether those that can ask are no items of the gallery.

    Raises:
        ItemNotFound: a named query is not there.
        TooFewItems: nobody is left.
        TooFewPairs: the bridge was fitted on all of them.
    """
    seen = np.zeros(joined.n, dtype=bool) if fit_keys is None else np.isin(pair_keys(joined.ids), fit_keys)
    unknown = 0
    if query.query_ids:
        wanted = rows_of(joined.ids, query.query_ids, "", "query_ids", among="the items of both spaces")
    elif query.judgements:
        wanted = np.flatnonzero(np.isin(joined.ids.astype(str), np.array(list(query.judgements), dtype=str)))
        unknown = len(query.judgements) - len(wanted)
    else:
        wanted = np.arange(joined.n)
    eligible = wanted[~seen[wanted]]
    if not len(eligible):
        if len(wanted):
            raise TooFewPairs(f"bridge {query.bridge!r} was fitted on all {len(wanted):,} queries; ask others", field="query_ids")
        raise TooFewItems("none of the judged queries is in both spaces; check their ids", field="judgements")
    ids = [str(item) for item in joined.ids[eligible]]
    if query.query_ids or query.judgements:
        keys = tie_keys(f"held-out:{query.seed}", ids)
        return Asked(eligible[np.argsort(keys, kind="stable")][:MAX_HELD_OUT_QUERIES], len(wanted) - len(eligible), unknown)
    keeps_some = not apart and not query.bridge
    count = min(query.sample_queries, max(1, round((1.0 - _LEFT_FOR_THE_FIT) * len(ids))) if keeps_some else len(ids))
    if count == len(ids):
        return Asked(eligible[np.argsort(tie_keys(f"held-out:{query.seed}", ids), kind="stable")])
    of = None if groups is None else np.unique(groups[eligible], return_inverse=True)[1].astype(np.int64)
    return Asked(eligible[split_pairs(ids, count / len(ids), query.seed, of).held_out])


def left_for_fit(
    n: int, queries: NDArray[np.int64], groups: NDArray[np.int64] | None, asking: NDArray[np.int64] | None
) -> NDArray[np.int64]:
    """(f,) the common items that neither ask nor belong to the group of a query, ascending.

    Args:
        n: number of items.
        queries: (m,) positions of those that ask; empty where queries are no items.
        groups: (n,) of the items, or None.
        asking: (q,) groups of all queries, items or not, by the same numbers; or None.
    """
    asks = np.zeros(n, dtype=bool)
    asks[queries] = True
    if groups is not None and asking is not None:
        asks |= np.isin(groups, asking)
    return np.flatnonzero(~asks)
