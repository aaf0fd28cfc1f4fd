"""Which of the candidate pairs of two collections are kept, and in which order: the mining modes of Artetxe and Schwenk (LASER).

Candidates are, for every source a, the pair (a, best target of a), and for every target b, the pair (best source of b, b):

- `forward`: every source's pair.
- `backward`: every target's pair.
- `intersect`: pairs that are both; every source and every target is in at most one.
- `max`: the union in order of score, from which a pair is taken where neither of its items is in a pair taken before. Every source and
  every target is in at most one pair; where all scores differ, the pairs of `intersect` are among them.

**Order.** Descending score; equal scores by source row, then target row. A threshold or a limit keeps a beginning of this order, and what
`max` keeps under a threshold is what it takes of the pairs above it.

Source: Artetxe and Schwenk, "Margin-based parallel corpus mining with multilingual sentence embeddings", ACL 2019, arXiv 1811.01136,
section 3.2.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.control import Control
from consilience_server.core.mutual_pairs import mutual_pairs

PairMode = Literal["forward", "backward", "intersect", "max"]
PAIR_MODES: tuple[PairMode, ...] = get_args(PairMode)

_CHECK_EVERY = 1 << 16


@dataclass(frozen=True)
class Candidates:
    """The best of either side: `partners` (m,) row of the other side, `scores` (m,) float64 of the pair, the same from either side."""

    partners: NDArray[np.integer]
    scores: NDArray[np.float64]


@dataclass(frozen=True)
class Pairs:
    """Pair i is (sources[i], targets[i]), rows, with its score; in the order of this module."""

    sources: NDArray[np.int64]
    targets: NDArray[np.int64]
    scores: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.scores)


def select_pairs(mode: PairMode, forward: Candidates, backward: Candidates, control: Control | None = None) -> Pairs:
    """The pairs that a mode keeps, in order.

    Args:
        mode: which.
        forward: the best target of each of m sources.
        backward: the best source of each of n targets.
        control: hears cancellation; `max` goes through all m + n candidates one by one.

    Cost: O((m + n) log(m + n)) time.
    """
    if mode == "forward":
        return _ordered(np.arange(len(forward.partners)), forward.partners, forward.scores)
    if mode == "backward":
        return _ordered(backward.partners, np.arange(len(backward.partners)), backward.scores)
    rows = mutual_pairs(forward.partners, backward.partners)
    if mode == "intersect":
        return _ordered(rows, forward.partners[rows], forward.scores[rows])
    alone = np.ones(len(backward.partners), dtype=bool)
    alone[forward.partners[rows]] = False
    union = _ordered(
        np.concatenate([np.arange(len(forward.partners)), backward.partners[alone]]),
        np.concatenate([forward.partners, np.flatnonzero(alone)]),
        np.concatenate([forward.scores, backward.scores[alone]]),
    )
    taken = _greedy(union, len(forward.partners), len(backward.partners), control or Control())
    return Pairs(union.sources[taken], union.targets[taken], union.scores[taken])


def _ordered(sources: NDArray[np.integer], targets: NDArray[np.integer], scores: NDArray[np.float64]) -> Pairs:
    order = np.lexsort((targets, sources, -scores))
    return Pairs(sources[order].astype(np.int64), targets[order].astype(np.int64), scores[order])


def _greedy(pairs: Pairs, sources: int, targets: int, control: Control) -> NDArray[np.int64]:
    """Positions of the pairs whose items no earlier taken pair has."""
    used_sources, used_targets, taken = bytearray(sources), bytearray(targets), []
    for start in range(0, len(pairs), _CHECK_EVERY):
        control.check()
        stop = start + _CHECK_EVERY
        block = zip(pairs.sources[start:stop].tolist(), pairs.targets[start:stop].tolist(), strict=True)
        for position, (source, target) in enumerate(block, start):
            if not (used_sources[source] or used_targets[target]):
                used_sources[source] = used_targets[target] = 1
                taken.append(position)
    return np.array(taken, dtype=np.int64)
