"""Which of the common items an alignment asks."""

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.alignment_spec import AlignmentSpec
from consilience_server.app.joins import Join
from consilience_server.app.spaces import rows_of
from consilience_server.core.query_sample import hash_sample, sampling_keys


def query_rows(joined: Join, spec: AlignmentSpec) -> NDArray[np.int64] | None:
    """(m,) rows of the queries, ascending; None where the spec leaves none out. An id given twice is asked once.

    Raises:
        ItemNotFound: a named query is not among the common items.
    """
    if spec.query_ids:
        rows = np.unique(rows_of(joined.ids, spec.query_ids, "of the common items", "spec.query_ids"))
    else:
        rows = hash_sample(sampling_keys(joined.ids.tolist()), spec.sample_queries)
    return rows if len(rows) < joined.n else None
