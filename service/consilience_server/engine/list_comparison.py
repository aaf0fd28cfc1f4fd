"""LCS and edit distance of many pairs of lists at once: a column of the dynamic programme is a few machine words.

The bits of a word stand for the places of one list; a place of the other list is one step. Both recurrences are exact, so every count
agrees with the plain programmes of `core/lcs_knn.py` and `core/edit_distance_knn.py`.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]
"""(words, lists): bit b of word w is place 64 w + b."""

_ONES = np.uint64(0xFFFFFFFFFFFFFFFF)
_TOP = np.uint64(63)
_ONE = np.uint64(1)


def common_lengths(
    lists: NDArray[np.int64], place_x: NDArray[np.int64], place_y: NDArray[np.int64], count: int, ks: Sequence[int]
) -> NDArray[np.int64]:
    """The length of the longest common subsequence of the first k places of two lists, for every k.

    Args:
        lists: (h,) which pair of lists an item is common to, in [0, count).
        place_x: (h,) its place in the one list; no place of a list twice.
        place_y: (h,) its place in the other.
        count: number of pairs of lists.
        ks: places read of both.

    Returns:
        (len(ks), count) int64.

    Cost:
        O(count k ceil(k / 64)) time for the largest k, a few words a pair of memory.

    Source:
        Hyyro 2004, "Bit-parallel LCS-length computation revisited".
    """
    unset = np.full((-(-max(ks) // 64), count), _ONES)
    found = np.empty((len(ks), count), dtype=np.int64)
    for step, match in enumerate(_matches(lists, place_x, place_y, unset.shape, max(ks)), start=1):
        common = unset & match
        unset = _sum(unset, common) | (unset ^ common)
        for at in np.flatnonzero(np.asarray(ks) == step):
            found[at] = step - _set_bits(unset, step)
    return found


def saved_edits(
    lists: NDArray[np.int64], place_x: NDArray[np.int64], place_y: NDArray[np.int64], count: int, ks: Sequence[int]
) -> NDArray[np.int64]:
    """K less the Levenshtein distance of the first k places of two lists, for every k: arguments and result as `common_lengths`.

    Source:
        Myers 1999; Hyyro 2003, "A bit-vector algorithm for computing Levenshtein and Damerau edit distances", figure 4.
    """
    shape = (-(-max(ks) // 64), count)
    # Vertical steps of +1 and of -1 in the programme's matrix.
    rises, falls = np.full(shape, _ONES), np.zeros(shape, dtype=np.uint64)
    found = np.empty((len(ks), count), dtype=np.int64)
    for step, match in enumerate(_matches(lists, place_x, place_y, shape, max(ks)), start=1):
        level = (_sum(match & rises, rises) ^ rises) | match | falls
        up = _shifted(falls | ~(level | rises))
        down = _shifted(level & rises)
        up[0] |= _ONE
        rises, falls = down | ~(level | up), up & level
        for at in np.flatnonzero(np.asarray(ks) == step):
            found[at] = _set_bits(falls, step) - _set_bits(rises, step)
    return found


def _matches(
    lists: NDArray[np.int64], place_x: NDArray[np.int64], place_y: NDArray[np.int64], shape: tuple[int, int], steps: int
) -> Iterator[Words]:
    """For each place of y in turn the bit of the place in x that has the same item."""
    kept = np.flatnonzero((place_x < steps) & (place_y < steps))
    order = kept[np.argsort(place_y[kept], kind="stable")]
    ends = np.searchsorted(place_y[order], np.arange(steps + 1))
    for start, end in pairwise(ends):
        match = np.zeros(shape, dtype=np.uint64)
        here = order[start:end]
        match[place_x[here] >> 6, lists[here]] = _ONE << (place_x[here] & 63).astype(np.uint64)
        yield match


def _sum(a: Words, b: Words) -> Words:
    """A + b over all words, modulo 2^(64 words)."""
    total = a + b
    carry = total[0] < a[0]
    for word in range(1, len(total)):
        over = total[word] < a[word]
        total[word] += carry
        carry = over | (carry & (total[word] == 0))
    return total


def _shifted(a: Words) -> Words:
    """All words up by one place."""
    up = a << _ONE
    up[1:] |= a[:-1] >> _TOP
    return up


def _set_bits(a: Words, places: int) -> NDArray[np.int64]:
    """(lists,) bits set among the first places."""
    full, rest = divmod(places, 64)
    total = np.zeros(a.shape[1], dtype=np.int64)
    for word in range(full + (rest > 0)):
        bits = a[word] if word < full else a[word] & ((_ONE << np.uint64(rest)) - _ONE)
        bits = bits - ((bits >> _ONE) & np.uint64(0x5555555555555555))
        bits = (bits & np.uint64(0x3333333333333333)) + ((bits >> np.uint64(2)) & np.uint64(0x3333333333333333))
        bits = (bits + (bits >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
        total += ((bits * np.uint64(0x0101010101010101)) >> np.uint64(56)).astype(np.int64)
    return total
