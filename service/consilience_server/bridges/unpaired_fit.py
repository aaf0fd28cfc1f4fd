"""A bridge without pairs, and whether to believe it: halves of the items that never meet must lead to the same answers."""

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from consilience_server.bridges.closed_form import BridgeMap
from consilience_server.bridges.convergence import ENOUGH, Convergence
from consilience_server.bridges.unpaired import SAMPLE, Rows, from_anchors, rotation_without_pairs, sharpened
from consilience_server.core.centring import centred, unit_mean
from consilience_server.core.control import Control
from consilience_server.core.errors import InvalidArgument, TooFewItems
from consilience_server.core.estimate import Estimate
from consilience_server.core.retrieval import wilson_interval

FEWEST = 600
"""Different directions a side that a fit needs; a floor, not advice: with tens of thousands it finds more."""

NARROWEST = 10
"""Dimensions a side that a fit needs: in few, any two clouds have one best rotation, and halves agree on it whatever the clouds."""

MOST = 60_000
"""Items a side that a fit looks at, drawn at random: more did not help (mini-vec2vec, section 4)."""

CENTROIDS = (20, 10, 30)
"""Of each matching, by round: what is too few for one pair of spaces is too many for another."""

_QUERIES = 4000
_FEW = 50
_SHIFTS = 20
_MOST_ANCHORS = 1000
_BLOCK_ROWS = 4000


def fit_without_pairs(x: NDArray[np.float32], y: NDArray[np.float32], seed: int, control: Control) -> tuple[BridgeMap, Convergence]:
    """A rotation between the centred sides, and whether it converged; the map is the best found either way.

    Both sides are halved at random. A round fits a map on the first halves and one on the second; it is the last where two maps of
    different halves agree. The items that the two which agree most lead to one place, and only these, are the pairs of a first map of all
    items, which is then refined.

    Args:
        x: (n, d_x) float32, all items of the source, not zero.
        y: (m, d_y) float32, all items of the target, not zero; in any order, none known to belong to one of x.
        seed: of all that is random.
        control: cancellation and progress.

    Raises:
        TooFewItems: fewer than `FEWEST` different directions on a side.
        InvalidArgument: a side narrower than `NARROWEST`.

    Cost: two to six fits, each linear in `MOST`; 20,000 x 64 takes about a minute of one core where the first two agree.
    """
    for side, rows in (("source", x), ("target", y)):
        if rows.shape[1] < NARROWEST:
            raise InvalidArgument(
                f"the {side} space has {rows.shape[1]} dimensions; a fit without pairs needs at least {NARROWEST}, for in fewer any two "
                "clouds of points have one best rotation, which says nothing: give known pairs and another method",
                field=side,
            )
    means = unit_mean(x), unit_mean(y)
    rng = np.random.default_rng([seed, 0])
    sides = _directions(x, means[0], "source", rng), _directions(y, means[1], "target", rng)
    halves = [np.array_split(rng.permutation(len(rows)), 2) for rows in sides]
    asked = sides[0][rng.permutation(len(sides[0]))[:_QUERIES]]
    found: tuple[list[_Answers], list[_Answers]] = ([], [])
    for number, centroids in enumerate(CENTROIDS):
        for half, answers in enumerate(found):
            at = 2 * number + half
            part = control.part(0.15 * at, 0.15 * (at + 1))
            one, other = (rows[np.sort(split[half])] for rows, split in zip(sides, halves, strict=True))
            rotation = rotation_without_pairs(one, other, np.random.default_rng([seed, 1 + at]), part, centroids)
            answers.append(_answers(rotation, asked, sides[1], control))
        most = max(product(*found), key=lambda pair: _excess(*pair))
        converged = _excess(*most) >= ENOUGH
        if converged:
            break
    rotation = sharpened(*sides, _consensus(*most, asked, sides[1], rng, control), rng, control.part(0.92, 1.0))
    agreement, chance = _agreement(*most)
    told = Estimate(agreement, *wilson_interval(round(agreement * len(asked)), len(asked)))
    return BridgeMap(rotation, *means), Convergence(converged, told, chance, len(asked), sum(map(len, found)))


@dataclass(frozen=True)
class _Answers:
    """Where each source item asked is led, which target item is nearest, and how near that and the second nearest are."""

    rotation: NDArray[np.float64]
    images: Rows
    named: NDArray[np.int64]
    nearest: Rows
    second: Rows


def _directions(vectors: NDArray[np.float32], mean: NDArray[np.float64], side: str, rng: np.random.Generator) -> Rows:
    """Unit rows about the mean, those without a direction left out; at most `MOST`, drawn at random."""
    vectors = _drawn(vectors, MOST, rng)
    rows = centred(vectors, mean).astype(np.float32)
    rows = rows[rows.any(axis=1)]
    different = len({row.tobytes() for row in rows})
    if different < FEWEST:
        raise TooFewItems(
            f"the {side} space has {different:,} different directions; a fit without pairs needs at least {FEWEST:,} on each side: give "
            "more items, or known pairs and another method",
            field=side,
            items=different,
            needed=FEWEST,
        )
    return rows


def _answers(rotation: NDArray[np.float64], asked: Rows, gallery: Rows, control: Control) -> _Answers:
    images = asked @ rotation.astype(np.float32)
    images /= np.maximum(np.linalg.norm(images, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    best, second = (np.full(len(asked), -np.inf, dtype=np.float32) for _ in range(2))
    named = np.zeros(len(asked), dtype=np.int64)
    every = np.arange(len(asked))
    for start in range(0, len(gallery), _BLOCK_ROWS):
        control.check()
        scores = images @ gallery[start : start + _BLOCK_ROWS].T
        place = scores.argmax(axis=1)
        score = scores[every, place]
        scores[every, place] = -np.inf
        second = np.maximum(np.minimum(best, score), np.maximum(second, scores.max(axis=1)))
        named = np.where(score > best, start + place, named)
        best = np.maximum(best, score)
    return _Answers(rotation, images, named, best, second)


def _alike(one: _Answers, other: _Answers, shift: int = 0) -> NDArray[np.bool_]:
    """Which items both lead to one place: their images lie nearer to each other than to the second nearest target item."""
    between = (one.images * np.roll(other.images, shift, axis=0)).sum(axis=1)
    near: NDArray[np.bool_] = between > np.maximum(one.second, np.roll(other.second, shift))
    return near


def _agreement(one: _Answers, other: _Answers) -> tuple[float, float]:
    """Share of the items asked that both lead to one place, and the share of those that are led to the place of any other item."""
    return float(_alike(one, other).mean()), float(np.mean([_alike(one, other, shift).mean() for shift in range(1, 1 + _SHIFTS)]))


def _excess(one: _Answers, other: _Answers) -> float:
    """(agreement - chance) / (1 - chance); 0 where chance is 1."""
    agreement, chance = _agreement(one, other)
    return (agreement - chance) / (1.0 - chance) if chance < 1.0 else 0.0


def _consensus(one: _Answers, other: _Answers, asked: Rows, y: Rows, rng: np.random.Generator, control: Control) -> NDArray[np.float64]:
    """A rotation from what both maps say alike.

    Where a map has two clusters exchanged, the rotation that is best around it has them exchanged too; but two maps hardly make the same
    mistake. So what they agree about serves as anchors: similarities to these alone tell where all items belong. Where hardly anything is
    agreed, the nearer of the two maps.
    """
    nearer = max(one, other, key=lambda answers: float(answers.nearest.mean()))
    alike = np.flatnonzero(_alike(one, other))
    same = alike[one.named[alike] == other.named[alike]]
    # Where both name one item, the other's mistakes are hardly its own: these few are surer than all.
    alike = same if len(same) >= _FEW else alike
    if len(alike) < _FEW:
        return nearer.rotation
    alike = alike[:_MOST_ANCHORS]
    return from_anchors(asked, _drawn(y, SAMPLE, rng), asked[alike], y[nearer.named[alike]], control)


def _drawn(rows: Rows, count: int, rng: np.random.Generator) -> Rows:
    return rows if len(rows) <= count else rows[np.sort(rng.choice(len(rows), count, replace=False))]
