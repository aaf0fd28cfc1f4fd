"""Scores of all pairs of many spaces, pair by pair in the cache: a call that was cut off goes on where it stopped."""

import asyncio
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.alignment_spec import AlignmentSpec
from consilience_server.app.cache_key import cache_key
from consilience_server.app.call import Call
from consilience_server.app.encoded_scores import decode_scores, encode_scores
from consilience_server.app.item_groups import ItemGroups
from consilience_server.app.item_sample import compared_items
from consilience_server.app.joined_scores import JoinedScores
from consilience_server.app.joins import Join, join
from consilience_server.app.reports import SpaceUse
from consilience_server.app.result_cache import ResultCache
from consilience_server.core.score import Score
from consilience_server.engine.alignment_scores import Pair
from consilience_server.engine.snapshot import Snapshot

PAIRS_AT_A_TIME = 32
"""Pairs of one pass, at the least, where there are as many: each draws its random pairings anew, and what it found is kept once it ends."""


class MatrixScores:
    """Computes what the cache does not have. Must be used from one event loop.

    The unit of work is a pair of spaces, named by everything that its score follows from: both spaces with their versions, the items, and
    the spec. Passes end after whole columns of the matrix, and each pair of a pass is kept when it ends: a matrix that was cancelled, or
    one with a space more over the same items, computes only what is missing. However pairs are cut into passes, scores of lists are the
    same to the bit, others within the tolerance of their metric.
    """

    def __init__(self, scores: JoinedScores, results: ResultCache) -> None:
        self._scores = scores
        self._results = results

    async def common(
        self, call: Call, snapshots: Sequence[Snapshot], joined: Join, spec: AlignmentSpec, groups: ItemGroups | None
    ) -> Mapping[Pair, Score]:
        """Every pair i <= j, j < i too where the metric is not symmetric, over the items of the join under shared random pairings."""
        if spec.asks_some:
            # The pairings of queries are over the items that any of the spaces lists: a pair alone, or in another matrix, has others.
            return await self._scores.of_all(call, snapshots, joined, spec, groups)
        count = len(snapshots)
        keys = {(i, j): _key(joined, spec, groups, snapshots[i], snapshots[j]) for j in range(count) for i in range(j + 1)}
        scores: dict[Pair, Score] = {}
        for pair, key in keys.items():
            _add(scores, pair, await self._results.find(key))
        missing = [pair for pair in keys if pair not in scores]
        done = 0
        for pairs in _passes(missing):
            used = sorted({space for pair in pairs for space in pair})
            place = {space: at for at, space in enumerate(used)}
            part = call.part(done / len(missing), (done + len(pairs)) / len(missing))
            asked = [(place[i], place[j]) for i, j in pairs]
            found = await self._scores.of_all(part, [snapshots[i] for i in used], joined.of(*used), spec, groups, asked)
            for i, j in pairs:
                value = encode_scores(
                    [found[place[i], place[j]], *([found[place[j], place[i]]] if (place[j], place[i]) in found and i != j else [])]
                )
                self._results.keep(keys[i, j], value)
                _add(scores, (i, j), value)
            done += len(pairs)
        return scores

    async def pairwise(self, call: Call, snapshots: Sequence[Snapshot], spec: AlignmentSpec) -> tuple[dict[Pair, Score], NDArray[np.int64]]:
        """Every pair i <= j over its own common items, and how many those are (M, M); scores of different n do not compare."""
        count = len(snapshots)
        n = np.zeros((count, count), dtype=np.int64)
        scores: dict[Pair, Score] = {}
        pairs = [(i, j) for i in range(count) for j in range(i, count)]
        for done, (i, j) in enumerate(pairs):
            joined = await asyncio.to_thread(join, [snapshots[i], snapshots[j]], "spaces")
            n[i, j] = n[j, i] = compared_items(joined.n, spec)
            key = _key(joined, spec, None, snapshots[i], snapshots[j])
            value = await self._results.find(key)
            if value is None:
                part = call.part(done / len(pairs), (done + 1) / len(pairs))
                both = [snapshots[i], snapshots[j]]
                found = await self._scores.of_all(part, both, joined, spec, None, [(0, 0) if i == j else (0, 1)])
                chosen = [found[0, 0]] if i == j else [found[0, 1], *([found[1, 0]] if (1, 0) in found else [])]
                value = encode_scores(chosen)
                self._results.keep(key, value)
            _add(scores, (i, j), value)
        return scores, n


def _passes(missing: Sequence[Pair]) -> Iterator[list[Pair]]:
    """Whole columns together, until there are enough pairs."""
    pairs: list[Pair] = []
    for at, (i, j) in enumerate(missing):
        pairs.append((i, j))
        ends = at + 1 == len(missing) or missing[at + 1][1] != j
        if ends and (len(pairs) >= PAIRS_AT_A_TIME or at + 1 == len(missing)):
            yield pairs
            pairs = []


def _key(joined: Join, spec: AlignmentSpec, groups: ItemGroups | None, x: Snapshot, y: Snapshot) -> str:
    told = {
        **asdict(spec),
        "items": joined.digest,
        "groups": _digest(None if groups is None else groups.of),
        "folds": _digest(joined.fold_groups),
        "same": _digest(joined.same),
    }
    return cache_key("align_pair", told, [SpaceUse(side.name, side.uid, side.version) for side in (x, y)])


def _digest(labels: NDArray[np.int64] | None) -> bytes:
    return b"" if labels is None else hashlib.blake2b(np.ascontiguousarray(labels).tobytes(), digest_size=16).digest()


def _add(scores: dict[Pair, Score], pair: Pair, value: bytes | None) -> None:
    """The score of a pair, and of the other direction where the metric has two."""
    if value is None:
        return
    found = decode_scores(value)
    scores[pair] = found[0]
    if len(found) > 1:
        scores[pair[1], pair[0]] = found[1]
