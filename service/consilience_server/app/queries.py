"""Which of the common items an alignment asks."""

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.alignment_spec import AlignmentSpec
from consilience_server.app.cautions import Restriction
from consilience_server.app.item_groups import ItemGroups
from consilience_server.app.joins import Join
from consilience_server.app.spaces import rows_of
from consilience_server.core.errors import InvalidArgument
from consilience_server.core.query_sample import hash_sample
from consilience_server.core.strata import Strata, stratified_sample


def query_rows(joined: Join, spec: AlignmentSpec) -> NDArray[np.int64] | None:
    """(m,) rows of the queries, ascending; None where the spec leaves none out. An id given twice is asked once.

    Raises:
        ItemNotFound: a named query is not among the common items.
        InvalidArgument: too few queries for the strata, or strata that nobody has read.
    """
    if spec.strata and joined.strata is None:
        raise InvalidArgument("only align and align_matrix over common items sample from strata; leave strata out", field="spec.strata")
    if spec.query_ids:
        rows = np.unique(rows_of(joined.ids, spec.query_ids, "", "spec.query_ids", among="the common items"))
    elif joined.strata is not None:
        rows = stratified_sample(joined.sampling_keys, joined.strata, spec.queries(joined.n))
    else:
        rows = hash_sample(joined.sampling_keys, spec.sample_queries)
    return rows if len(rows) < joined.n else None


def restriction_of(joined: Join, spec: AlignmentSpec, groups: ItemGroups | None) -> Restriction:
    """What restricts the random pairings of a null over the items of the join, for cautions."""
    queries = query_rows(joined, spec) if spec.asks_some and groups is not None else None
    return Restriction(groups, queries, joined.fold_groups)


def query_strata(joined: Join, queries: NDArray[np.int64] | None) -> Strata | None:
    """The strata of the queries; None for a simple sample, or where all items are asked."""
    if joined.strata is None or queries is None:
        return None
    return Strata(joined.strata[queries], np.bincount(joined.strata).astype(np.int64))
