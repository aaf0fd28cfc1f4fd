"""Some rows of a brute-force table: queries against the full gallery."""

import numpy as np
from support.brute_table import BruteTable

from consilience_server.core.neighbour_sets import NeighbourSets


class QueryTable:
    """Implements NeighbourTable for the queries `rows` of a BruteTable, in that order."""

    self_join = False
    certificate = BruteTable.certificate

    def __init__(self, table, rows):
        self._table, self._rows = table, np.asarray(rows)
        self.gallery, self.k_max, self.nbytes = table.gallery, table.k_max, table.nbytes
        self.indices, self.scores = table.indices[self._rows], table.scores[self._rows]

    def sets(self, k):
        full = self._table.sets(k)
        parts = [np.arange(full.indptr[row], full.indptr[row + 1]) for row in self._rows]
        at = np.concatenate(parts)
        indptr = np.concatenate([[0], np.cumsum([len(part) for part in parts])])
        return NeighbourSets(indptr, full.indices[at], full.weights[at], k, full.gallery, full.tied[self._rows])
