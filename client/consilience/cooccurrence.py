"""Counts of what occurs together: words within a window, items of a session, colours near each other in images.

Each function answers a `Cooccurrence`, which `client.pmi_space` takes as it is. Needs NumPy alone.
"""

import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consilience.errors import InvalidArgumentError

__all__ = ["Cooccurrence", "from_pixels", "from_sequences", "from_sessions"]


@dataclass(frozen=True, eq=False)
class Cooccurrence:
    """How often two of n things occur together; symmetric, each cell once.

    Attributes:
        ids: names of the n things.
        rows: (p,) int64, positions among the ids.
        columns: (p,) int64.
        counts: (p,) float64, above 0; a pair (i, j) stands as (i, j) and (j, i), and i beside another i counts twice in (i, i).
    """

    ids: list[str]
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    counts: NDArray[np.float64]

    def to_dense(self) -> NDArray[np.float64]:
        """(n, n) float64."""
        dense = np.zeros((len(self.ids), len(self.ids)))
        dense[self.rows, self.columns] = self.counts
        return dense

    def __repr__(self) -> str:
        return f"Cooccurrence({len(self.ids):,} things, {len(self.counts):,} cells, {self.counts.sum():,.0f} in all)"


def from_sequences(sequences: Iterable[Sequence[Hashable]], window: int = 5, vocabulary: Sequence[Hashable] | None = None) -> Cooccurrence:
    """Tokens at most `window` places apart in the same sequence.

    Args:
        sequences: of tokens (a document, a sentence, a playlist).
        window: places; 1 is neighbours only.
        vocabulary: the tokens to count, in the order of the ids; others keep their place, and count for nothing. None: all, in the order
            of their first appearance.

    Raises:
        InvalidArgumentError: a window below 1, a token twice in the vocabulary, or nothing to count.
    """
    if isinstance(window, bool) or not isinstance(window, int | np.integer) or window < 1:
        raise InvalidArgumentError(f"window is {window!r}; give a whole number of places, 1 or more", field="window")
    known = _known(vocabulary)
    tokens, owners = [], []
    for owner, sequence in enumerate(sequences):
        if isinstance(sequence, str | bytes):
            raise InvalidArgumentError(f"sequence {owner} is text; split it into tokens", field="sequences")
        numbers = _numbered(sequence, known, grows=vocabulary is None)
        tokens.append(numbers)
        owners.append(np.full(len(numbers), owner, dtype=np.int64))
    flat = np.concatenate(tokens) if tokens else np.empty(0, dtype=np.int64)
    belongs = np.concatenate(owners) if owners else np.empty(0, dtype=np.int64)
    tally = _Tally(len(known))
    for apart in range(1, min(int(window), len(flat) - 1) + 1):
        left, right = flat[:-apart], flat[apart:]
        together = (belongs[:-apart] == belongs[apart:]) & (left >= 0) & (right >= 0)
        tally.add(left[together], right[together])
    return tally.finish([str(token) for token in known], "sequences")


def from_sessions(sessions: Iterable[Iterable[Hashable]], vocabulary: Sequence[Hashable] | None = None) -> Cooccurrence:
    """Different items of the same session (a basket, a visit, a set of tags); each pair counts once a session.

    Args:
        sessions: of items; an item twice in one counts once.
        vocabulary: as in `from_sequences`.

    Raises:
        InvalidArgumentError: an item twice in the vocabulary, or nothing to count.
    """
    known = _known(vocabulary)
    by_size: dict[int, list[NDArray[np.int64]]] = {}
    for owner, session in enumerate(sessions):
        if isinstance(session, str | bytes):
            raise InvalidArgumentError(f"session {owner} is text; give a list of items", field="sessions")
        numbers = np.unique(_numbered(list(session), known, grows=vocabulary is None))
        numbers = numbers[numbers >= 0]
        by_size.setdefault(len(numbers), []).append(numbers)
    tally = _Tally(len(known))
    for size, members in by_size.items():
        left, right = np.triu_indices(size, 1)
        block = max(1, (1 << 22) // max(1, len(left)))
        for start in range(0, len(members), block):
            together = np.stack(members[start : start + block])
            tally.add(together[:, left].ravel(), together[:, right].ravel())
    return tally.finish([str(item) for item in known], "sessions")


def from_pixels(images: Iterable[Any], radius: float = 4.0, ids: Sequence[str] | None = None) -> Cooccurrence:
    """Labels of pixels at most `radius` apart in the same image, all pairs.

    Args:
        images: (height, width) arrays of whole numbers of 0 or more, the label of each pixel (say, its quantised colour).
        radius: Euclidean, in pixels.
        ids: names of the labels, the i-th of label i; None: the labels that occur, by number.

    Raises:
        InvalidArgumentError: an image that is no such array, a radius below 1, a label without a name, or nothing to count.
    """
    if not (math.isfinite(radius) and radius >= 1):
        raise InvalidArgumentError(f"radius is {radius!r}; give 1 or more pixels", field="radius")
    labels = [_labels(image, at, ids) for at, image in enumerate(images)]
    count = len(ids) if ids is not None else 1 + max((int(image.max()) for image in labels), default=-1)
    tally, reach = _Tally(count), int(radius)
    half = [
        (down, right)
        for down in range(reach + 1)
        for right in range(-reach, reach + 1)
        if (down > 0 or right > 0) and down * down + right * right <= radius * radius
    ]
    for image in labels:
        height, width = image.shape
        for down, right in half:
            if down < height and abs(right) < width:
                one = image[: height - down, max(0, -right) : width - max(0, right)]
                other = image[down:, max(0, right) : width - max(0, -right)]
                tally.add(one.ravel(), other.ravel())
    found = tally.finish([str(label) for label in range(count)] if ids is None else [str(name) for name in ids], "images")
    return found if ids is not None else _occurring(found)


class _Tally:
    """Sums pairs of positions, both ways; blocks are folded together as they grow."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._keys: list[NDArray[np.int64]] = []
        self._totals: list[NDArray[np.int64]] = []
        self._held = 0

    def add(self, left: NDArray[np.int64], right: NDArray[np.int64]) -> None:
        """One more of each pair (left, right)."""
        keys, totals = np.unique(np.minimum(left, right) * self._count + np.maximum(left, right), return_counts=True)
        self._keys.append(keys)
        self._totals.append(totals)
        self._held += len(keys)
        if len(self._keys) > 1 and self._held > 4 * len(self._keys[0]):
            self._fold()

    def _fold(self) -> None:
        keys, place = np.unique(np.concatenate(self._keys), return_inverse=True)
        totals = np.bincount(place, weights=np.concatenate(self._totals)).astype(np.int64)
        self._keys, self._totals, self._held = [keys], [totals], len(keys)

    def finish(self, ids: list[str], field: str) -> Cooccurrence:
        """Both halves; InvalidArgumentError where nothing occurs with anything."""
        if not self._held:
            raise InvalidArgumentError(f"nothing occurs together in {field}; there is nothing to count", field=field)
        self._fold()
        low, high = np.divmod(self._keys[0], self._count)
        totals = self._totals[0].astype(np.float64)
        apart = low != high
        return Cooccurrence(
            ids,
            np.concatenate([low, high[apart]]),
            np.concatenate([high, low[apart]]),
            # Each of two equal things is beside the other.
            np.concatenate([np.where(apart, totals, 2 * totals), totals[apart]]),
        )


def _known(vocabulary: Sequence[Hashable] | None) -> dict[Hashable, int]:
    known: dict[Hashable, int] = {}
    for token in vocabulary or ():
        if token in known:
            raise InvalidArgumentError(f"{token!r} stands twice in the vocabulary; name each once", field="vocabulary")
        known[token] = len(known)
    return known


def _numbered(tokens: Sequence[Hashable], known: dict[Hashable, int], *, grows: bool) -> NDArray[np.int64]:
    """The position of each token, -1 for one that is not counted."""
    if grows:
        return np.fromiter((known.setdefault(token, len(known)) for token in tokens), dtype=np.int64, count=len(tokens))
    return np.fromiter((known.get(token, -1) for token in tokens), dtype=np.int64, count=len(tokens))


def _labels(image: Any, at: int, ids: Sequence[str] | None) -> NDArray[np.int64]:
    array = np.asarray(image)
    if array.ndim != 2 or array.dtype.kind not in "iu" or array.size == 0 or array.min() < 0:
        raise InvalidArgumentError(
            f"image {at} is {array.dtype} of shape {array.shape}; give a (height, width) array of labels, whole numbers of 0 or more",
            field="images",
        )
    if ids is not None and array.max() >= len(ids):
        raise InvalidArgumentError(f"image {at} has the label {array.max()}, but ids names {len(ids)}; name all of them", field="ids")
    return array.astype(np.int64)


def _occurring(found: Cooccurrence) -> Cooccurrence:
    used, rows = np.unique(found.rows, return_inverse=True)
    columns = np.searchsorted(used, found.columns)
    return Cooccurrence([found.ids[label] for label in used], rows.astype(np.int64), columns.astype(np.int64), found.counts)
