"""One-to-one matches: all queries against all items that may be given, then the assignment of the largest sum of scores."""

from dataclasses import replace

import numpy as np

from consilience_server.app.gallery_filter import GalleryPart, find_in_part
from consilience_server.app.gallery_search import Found, Search
from consilience_server.app.match_query import MatchQuery
from consilience_server.app.ports import Metrics
from consilience_server.core.control import Control
from consilience_server.core.errors import InvalidArgument
from consilience_server.core.one_to_one import MOST_PAIRS, one_to_one
from consilience_server.engine.protocol import NeighbourEngine


def check_assignment(query: MatchQuery, part: GalleryPart) -> None:
    """InvalidArgument for more queries than items, or for sets that are too large."""
    m, n = query.count, len(part.rows)
    if m > n:
        raise InvalidArgument(
            f"{m:,} queries cannot each have one of {n:,} items; ask fewer queries, or more items", field="one_to_one", queries=m, items=n
        )
    if m * n > MOST_PAIRS:
        raise InvalidArgument(
            f"{m:,} queries times {n:,} items are more than {MOST_PAIRS:,}, up to which an assignment is solved; for larger sets ask "
            "mutual_pairs with mode='max', which pairs greedily, best first",
            field="one_to_one",
            queries=m,
            items=n,
        )


def assign(search: Search, part: GalleryPart, engine: NeighbourEngine, metrics: Metrics, control: Control) -> Found:
    """The item of each query, (m, 1), under the scores that would rank it.

    Raises:
        InvalidArgument: no assignment is left once items are kept from matching themselves.
    """
    m, n = len(search.queries), len(part.rows)
    own = np.zeros(m, dtype=bool) if search.exclude is None else np.isin(search.exclude, part.rows)
    depth = n - bool(own.any())
    # Of a query that is no item of the part the last one would be missing: it is asked apart.
    scores, similarities = np.full((m, n), -np.inf), np.zeros((m, n))
    certificate = None
    for some, count in ((np.flatnonzero(own), depth), (np.flatnonzero(~own), n)):
        if not len(some):
            continue
        if not count:
            raise InvalidArgument("the one item left is the query itself; ask more items", field="one_to_one")
        exclude = None if search.exclude is None else search.exclude[some]
        asked = replace(search, queries=np.ascontiguousarray(search.queries[some]), exclude=exclude)
        found = find_in_part(asked, part, count, engine, metrics, control)
        places = np.searchsorted(part.rows, found.rows)
        scores[some[:, None], places], similarities[some[:, None], places] = found.scores, found.similarities
        certificate = found.certificate
    control.check()
    try:
        taken = one_to_one(scores)[:, None]
    except ValueError:
        raise InvalidArgument("no item is left for some query that is an item itself; ask more items", field="one_to_one") from None
    rows = part.rows[taken].astype(np.int32)
    return Found(rows, np.take_along_axis(similarities, taken, axis=1), np.take_along_axis(scores, taken, axis=1), certificate)
