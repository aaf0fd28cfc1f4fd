"""Mutual k-NN of many random pairings, from the neighbour lists alone: nothing is searched again."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations
from types import ModuleType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.control import Control
from consilience_server.core.permutation import Pairings
from consilience_server.engine.kernels import chosen_isa, load_kernels
from consilience_server.engine.overlap import KeyedSets

_DENSE_BYTES = 1 << 23
"""Weights of all spaces and k as full matrices, if they fit in this: nearer to the processor than any index."""

_DENSE_TIED_BYTES = 1 << 28
"""The same where ties fill the matrices, so that most look-ups of an index would succeed and be paid twice."""

_TIED_SHARE = 0.02

_INDEX_BYTES = 1 << 26
_SLOTS_AN_EDGE = 16
_SPACES_AN_INDEX = 64
_EDGES_A_CHUNK = 1 << 22
_PERMUTATIONS_A_CHUNK = 32
_COUNTED_EDGES_A_CHUNK = 1 << 27


class Draws(Protocol):
    """Random pairings of positions: `core/permutation.py: Pairings`, and those of `query_positions.py`."""

    def draw(self, index: int) -> NDArray[np.int64]:
        """(n,) where pairing number `index` sends each position; positions without an edge in any list may share one."""
        ...


def permuted_overlaps(
    spaces: Sequence[KeyedSets],
    permutations: int,
    pairings: Draws,
    threads: int,
    control: Control,
    only: Sequence[tuple[int, int]] | None = None,
) -> dict[tuple[int, int], NDArray[np.float64]]:
    """Mutual k-NN of pairs of spaces under the same random pairings, for every k.

    With rho a permutation of the items, s(x, rho y) = 1/(n k) sum over the edges (r, c) of y of w_Y(r, c) w_X(rho r, rho c): each edge of y
    is looked up among those of x. All spaces before y are looked up at once, so M spaces cost M passes a permutation, not M^2. Exact with
    fractional weights.

    Args:
        spaces: M keyed sets over the same items and ks.
        permutations: K >= 1.
        pairings: which they are.
        threads: the answer does not depend on it.
        control: asked before every permutation.
        only: the pairs i < j wanted, None for all.

    Returns:
        For each pair a (len(ks), K) float64; column b is permutation b.

    Cost:
        O(K n k) for each space. Beside the keys at most 64 MiB of index (256 MiB where ties fill the lists of up to a few thousand items)
        and, for each thread, about 100 bytes for each of up to 4 million edges.
    """
    wanted = sorted(combinations(range(len(spaces)), 2) if only is None else only)
    found = {pair: np.empty((len(spaces[0].ks), permutations)) for pair in wanted}
    if not wanted:
        return found
    scale = spaces[0].queries * np.array(spaces[0].ks, dtype=np.float64)[:, None]
    kernels, lists = load_kernels(), [space.lists for space in spaces]
    if isinstance(pairings, Pairings) and kernels is not None and all(one is not None for one in lists):
        for chosen, totals in _counted(
            kernels, [one for one in lists if one is not None], wanted, permutations, pairings, threads, control
        ):
            for pair, counts in totals.items():
                found[pair][:, chosen] = counts / scale
        return found
    passes = list(_passes(spaces, wanted))
    for part, (pairs, score) in enumerate(passes):
        largest = max(len(space.keys) for space in spaces)
        size = max(1, min(_PERMUTATIONS_A_CHUNK, _EDGES_A_CHUNK // largest))
        chunks = [range(start, min(start + size, permutations)) for start in range(0, permutations, size)]

        def work(chunk: range, score: "_Scorer" = score) -> NDArray[np.float64]:
            return score(_drawn(chunk, pairings, control))

        with ThreadPoolExecutor(max(1, threads)) as pool:
            for chunk, sums in zip(chunks, pool.map(work, chunks), strict=True):
                for pair, values in zip(pairs, sums, strict=True):
                    np.minimum(values / scale, 1.0, out=found[pair][:, chunk.start : chunk.stop])
                control.progress((part + chunk.stop / permutations) / len(passes))
    return found


@dataclass(frozen=True)
class SharedEdges:
    """Edges that random pairings make two spaces share.

    Attributes:
        pairing: (h,) which pairing, ascending.
        at_x: (h,) the edge of x, a position in its keys.
        at_y: (h,) the edge of y before the pairing moved it, a position in its keys.
    """

    pairing: NDArray[np.int64]
    at_x: NDArray[np.int64]
    at_y: NDArray[np.int64]


def permuted_shared_edges(
    x: KeyedSets, y: KeyedSets, permutations: int, pairings: Draws, threads: int, control: Control
) -> Iterator[tuple[range, SharedEdges]]:
    """The edges that x shares with rho y for every random pairing rho, chunk by chunk: each chunk's permutations and what they share.

    Arguments and pairings as in `permuted_overlaps`; weights are not looked at. O(K (m_y + shared edges)) time for m_y edges of y.
    """
    look_up = _Indexed([x, y], 0, 1, [(0, 1)])
    size = max(1, min(_PERMUTATIONS_A_CHUNK, _EDGES_A_CHUNK // max(1, len(y.keys))))
    chunks = [range(start, min(start + size, permutations)) for start in range(0, permutations, size)]

    def work(chunk: range) -> SharedEdges:
        (_, _, shared) = next(look_up.shared(_drawn(chunk, pairings, control)))
        return shared

    with ThreadPoolExecutor(max(1, threads)) as pool:
        for chunk, shared in zip(chunks, pool.map(work, chunks), strict=True):
            yield chunk, shared
            control.progress(chunk.stop / permutations)


def _counted(
    kernels: ModuleType,
    lists: Sequence[tuple[NDArray[np.int32], ...]],
    pairs: Sequence[tuple[int, int]],
    permutations: int,
    pairings: Pairings,
    threads: int,
    control: Control,
) -> Iterator[tuple[slice, dict[tuple[int, int], NDArray[np.int64]]]]:
    """The shared items (len(ks), permutations in the part) of pairs of spaces without ties, part by part: whole numbers, exact."""
    n, isa = len(lists[0][0]), chosen_isa(kernels)
    edges = sum(one.shape[1] for one in lists[0]) * n
    size = max(1, min(_PERMUTATIONS_A_CHUNK, _COUNTED_EDGES_A_CHUNK // edges))
    for start in range(0, permutations, size):
        control.check()
        part = slice(start, min(start + size, permutations))
        if pairings.groups is None:
            drawn = kernels.draw_permutations(pairings.seed, pairings.first + start, part.stop - start, n, threads)
        else:
            drawn = np.array(_drawn(range(start, part.stop), pairings, control), dtype=np.int32)
        totals = {}
        for i, j in pairs:
            control.check()
            totals[i, j] = np.array(
                [kernels.permuted_shared_items(x, y, drawn, threads, isa) for x, y in zip(lists[i], lists[j], strict=True)]
            )
        control.progress(part.stop / permutations)
        yield part, totals


_Scorer = Callable[[Sequence[NDArray[np.int64]]], NDArray[np.float64]]
"""Permutations to the sums (pairs, len(ks), permutations)."""


def _drawn(chunk: range, pairings: Draws, control: Control) -> list[NDArray[np.int64]]:
    drawn = []
    for index in chunk:
        control.check()
        drawn.append(pairings.draw(index))
    return drawn


def _passes(spaces: Sequence[KeyedSets], wanted: Sequence[tuple[int, int]]) -> Iterator[tuple[list[tuple[int, int]], _Scorer]]:
    """The pairs, in the order in which they are answered together, and what answers them."""
    n, columns = spaces[0].n, len(spaces[0].ks)
    bytes_dense = 8 * n * n * columns * len(spaces)
    tied = max(len(space.keys) for space in spaces) > _TIED_SHARE * n * n
    if bytes_dense <= (_DENSE_TIED_BYTES if tied else _DENSE_BYTES):
        yield list(wanted), _Dense(spaces, wanted)
        return
    for start in range(0, len(spaces) - 1, _SPACES_AN_INDEX):
        stop = min(start + _SPACES_AN_INDEX, len(spaces) - 1)
        # In the order in which they are answered: by the later space, then by the earlier.
        pairs = sorted(((i, j) for i, j in wanted if start <= i < stop), key=lambda pair: pair[::-1])
        if pairs:
            yield pairs, _Indexed(spaces, start, stop, pairs)


class _Dense:
    """Look-up of weights in full (n, n) matrices."""

    def __init__(self, spaces: Sequence[KeyedSets], pairs: Sequence[tuple[int, int]]) -> None:
        self._pairs, self._columns = pairs, len(spaces[0].ks)
        self._edges = {j: _Edges.of(spaces[j]) for j in sorted({j for _, j in pairs})}
        self._weights = {}
        for i in sorted({i for i, _ in pairs}):
            space = spaces[i]
            full = np.zeros((len(space.ks), space.n * space.n))
            full[:, space.keys] = space.weights.T
            self._weights[i] = full

    def __call__(self, drawn: Sequence[NDArray[np.int64]]) -> NDArray[np.float64]:
        sums = np.empty((len(self._pairs), self._columns, len(drawn)))
        for at, rho in enumerate(drawn):
            left = rho * len(rho)
            slots = {j: edges.slots(left, rho) for j, edges in self._edges.items()}
            for place, (i, j) in enumerate(self._pairs):
                for column in range(self._columns):
                    values = self._weights[i][column].take(slots[j], mode="clip")
                    values *= self._edges[j].weights[column]
                    sums[place, column, at] = np.add.reduce(values)
        return sums


class _Indexed:
    """Look-up in one small table that tells which spaces may have an edge; what it tells is then checked in the lists.

    Slot of the edge (r, c) is A[r] + B[c], for A and B drawn at random (few edges share a slot), or r n + c where that fits.
    """

    def __init__(self, spaces: Sequence[KeyedSets], start: int, stop: int, pairs: Sequence[tuple[int, int]]) -> None:
        self._spaces, self._start = spaces, start
        # Of each later space the earlier ones that it is compared with.
        self._earlier: dict[int, list[int]] = {}
        for i, j in pairs:
            self._earlier.setdefault(j, []).append(i)
        self._edges = {j: _Edges.of(spaces[j]) for j in range(start, len(spaces))}
        n = spaces[0].n
        entry = np.dtype(next(size for size in ("u1", "u2", "u4", "u8") if 8 * np.dtype(size).itemsize >= stop - start))
        edges = sum(len(space.keys) for space in spaces[start:stop])
        most = _INDEX_BYTES // entry.itemsize
        slots = min(1 << max(12, (_SLOTS_AN_EDGE * edges - 1).bit_length()), most)
        if n * n <= slots:
            self._left, self._right, slots = np.arange(n) * n, np.arange(n), n * n
        else:
            draws = np.random.Philox(key=np.array([n, slots], dtype=np.uint64)).random_raw(2 * n) % np.uint64(slots // 2)
            self._left, self._right = draws[:n].astype(np.int64), draws[n:].astype(np.int64)
        self._table = np.zeros(slots, dtype=entry)
        for bit, space in enumerate(spaces[start:stop]):
            self._table[self._left[space.rows] + self._right[space.columns]] |= entry.type(1 << bit)

    def __call__(self, drawn: Sequence[NDArray[np.int64]]) -> NDArray[np.float64]:
        columns = len(self._spaces[0].ks)
        parts: list[NDArray[np.float64]] = []
        for i, j, shared in self.shared(drawn):
            for column in range(columns):
                products = self._edges[i].weights[column, shared.at_x] * self._edges[j].weights[column, shared.at_y]
                parts.append(np.bincount(shared.pairing, weights=products, minlength=len(drawn)).astype(np.float64))
        return np.array(parts).reshape(-1, columns, len(drawn))

    def shared(self, drawn: Sequence[NDArray[np.int64]]) -> Iterator[tuple[int, int, SharedEdges]]:
        """For every pair of spaces i < j of this pass, in the order of j, then i, the edges that the pairings make them share."""
        later = sorted(self._earlier)
        wanted = {j: sum(1 << (i - self._start) for i in self._earlier[j]) for j in later}
        found: dict[int, list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.unsignedinteger]]]] = {
            j: [] for j in later
        }
        for rho in drawn:
            left, right = self._left[rho], self._right[rho]
            for j in later:
                edges = self._edges[j]
                told = self._table.take(edges.slots(left, right), mode="clip")
                told &= told.dtype.type(wanted[j])
                # Positions of True are found several times faster than positions of non-zero bytes.
                hit = np.flatnonzero(told != 0)
                found[j].append((hit, rho[edges.rows[hit]], rho[edges.columns[hit]], told[hit]))
        for j, hits in found.items():
            of = np.repeat(np.arange(len(drawn)), [len(part[0]) for part in hits])
            edge, row, neighbour, told = (np.concatenate([part[field] for part in hits]) for field in range(4))
            for i in sorted(self._earlier[j]):
                chosen = np.flatnonzero(told & told.dtype.type(1 << (i - self._start)))
                at, true = self._edges[i].find(row[chosen], neighbour[chosen])
                chosen, at = chosen[true], at[true]
                yield i, j, SharedEdges(of[chosen], at, edge[chosen])


@dataclass(frozen=True)
class _Edges:
    """The edges of one space, unpacked: what every permutation reads."""

    starts: NDArray[np.int64]
    counts: NDArray[np.int64]
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    weights: NDArray[np.float64]

    @staticmethod
    def of(space: KeyedSets) -> "_Edges":
        counts = space.counts
        starts = np.concatenate([[0], np.cumsum(counts)])
        return _Edges(starts, counts, space.rows, space.columns, np.ascontiguousarray(space.weights.T))

    def slots(self, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.int64]:
        """(m,) left of each edge's query plus right of its neighbour."""
        slots = right.take(self.columns, mode="clip")
        slots += left.repeat(self.counts)
        return slots

    def find(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Where the edges (row, column) stand, and whether they are there: a bisection in each row, all at once."""
        at, end = self.starts[rows], self.starts[rows + 1]
        step = 1 << int(self.counts.max()).bit_length()
        while step := step >> 1:
            probe = at + step
            further = (probe < end) & (self.columns.take(probe, mode="clip") <= columns)
            at += step * further
        return at, (at < end) & (self.columns.take(at, mode="clip") == columns)
