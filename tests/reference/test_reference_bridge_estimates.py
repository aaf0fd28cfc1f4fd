"""Learning curves cut short and foreseen, against what more pairs then brought: the errors that the docstrings and the guide state."""

import os
from pathlib import Path

import numpy as np
import pytest

from consilience_server.bridges.feasibility import FORECAST_KS, FURTHEST, QUICK_METHODS, QUICK_QUERIES, learning_forecast
from consilience_server.bridges.fit import Fits, needed_pairs
from consilience_server.bridges.held_out_retrieval import FitProblem, HeldOutRetrieval
from consilience_server.bridges.ridge_penalty import PENALTIES
from consilience_server.core.control import Control
from consilience_server.core.learning_forecast import FEWEST_POINTS, forecast
from consilience_server.engine.exact_neighbours import ExactNeighbours
from consilience_server.engine.faiss_cpu import FaissCpuScan

pytestmark = pytest.mark.reference

DATA = Path(os.environ.get("CONSILIENCE_REFERENCE_DATA", Path(__file__).parents[3] / "shared" / "data"))
CONTROL = Control()
ENGINE = ExactNeighbours(FaissCpuScan(1), 1)
HELD_OUT = {"words": 1155, "digits": 400, "objects": 371}
STATED = {2: (0.03, 0.01, 0.99), 4: (0.05, 0.02, 0.99), 8: (0.07, 0.04, 0.95), 16: (0.08, 0.04, 0.93)}
"""Mean absolute error, bias and coverage by how many times the pairs, as stated."""


def load(name):
    if not (DATA / name).is_file():
        pytest.skip("no reference data")
    return np.load(DATA / name, allow_pickle=False)


def words():
    word2vec, glove = (
        {key: file[key] for key in ("words", "vectors")} for file in (load("word2vec_gnews8k.npz"), load("glove_twitter25.npz"))
    )
    row = {word: at for at, word in enumerate(word2vec["words"])}
    shared = [at for at, word in enumerate(glove["words"]) if word in row]
    sides = word2vec["vectors"][[row[word] for word in glove["words"][shared]]], glove["vectors"][shared]
    return [side.astype(np.float32) for side in sides]


def standardised(x, held_out):
    fit = np.random.default_rng(0).permutation(len(x))[held_out:]
    return ((x - x[fit].mean(axis=0)) / x[fit].std(axis=0)).astype(np.float32)


def sides(name):
    """Source, target, and how many pairs are held out."""
    if name in {"word2vec-glove", "glove-word2vec"}:
        x, y = words()
        return (x, y, HELD_OUT["words"]) if name == "word2vec-glove" else (y, x, HELD_OUT["words"])
    if name == "objects":
        arrays = load("things.npz")
        by_width = {array.shape[1]: array for array in (arrays[key] for key in arrays.files) if array.ndim == 2}
        x, y = (standardised(by_width[width].astype(np.float64), HELD_OUT["objects"]) for width in (66, 42))
        return x, y, HELD_OUT["objects"]
    views = load("mfeat.npz")
    x, y = (standardised(views[view].astype(np.float64), HELD_OUT["digits"]) for view in name.split("-"))
    return x, y, HELD_OUT["digits"]


def problem(name, pairs=None, queries=None):
    """The first so many pairs and held-out queries of the recipe's order; the gallery is all items."""
    x, y, held_out = sides(name)
    order = np.random.default_rng(0).permutation(len(x))
    test, fit = order[:held_out][:queries], order[held_out:][:pairs]
    ids = np.array([f"{row:05d}" for row in range(len(x))], dtype=object)
    return FitProblem(x[fit], y[fit], x[test], test, y, ids[test], ids)


def ranks_by_size(whole, method, sizes):
    measuring = HeldOutRetrieval(whole, ENGINE, CONTROL)
    return np.stack([measuring.ranks(Fits(whole.x[:size], whole.y[:size], PENALTIES, CONTROL).fit(method)[0], CONTROL) for size in sizes])


@pytest.mark.parametrize(
    ("name", "pairs", "times", "most"),
    [
        ("word2vec-glove", 312, 8, 0.1),
        ("word2vec-glove", 1250, 4, 0.1),
        ("fac-pix", 200, 8, 0.1),
        ("fou-pix", 200, 8, 0.02),
        ("objects", 92, 8, 0.12),
    ],
)
def test_what_came_was_foreseen(name, pairs, times, most):
    """Recall@1, by the method that `auto` stands for."""
    told = learning_forecast(problem(name, pairs, QUICK_QUERIES), QUICK_METHODS, (0.5, 1), PENALTIES, ENGINE, CONTROL)
    found = told.forecasts[1]
    at = found.pairs.tolist().index(pairs * times)
    came = (ranks_by_size(problem(name), told.method, [pairs * times])[0] <= 1).mean()
    assert abs(found.recall[at] - came) <= most
    assert found.low[at] <= came <= found.high[at]


@pytest.mark.slow
def test_the_stated_errors_are_those_of_all_curves():
    off = {times: [] for times in STATED}
    for name in ("word2vec-glove", "glove-word2vec", "fac-pix", "fou-pix", "objects"):
        whole = problem(name)
        sizes = sorted(len(whole.x) >> halved for halved in range(9) if len(whole.x) >> halved >= 12)
        for method in QUICK_METHODS:
            assert needed_pairs(method, whole.x.shape[1], whole.y.shape[1]) <= 12
            ranks = ranks_by_size(whole, method, sizes)
            for k in FORECAST_KS:
                for last in range(FEWEST_POINTS, len(sizes)):
                    first, ahead = max(last - 5, 0), sizes[last : last + 4]
                    hits = ranks[first:last, :QUICK_QUERIES] <= k
                    found = forecast(sizes[first:last], hits, ahead, np.random.default_rng(0))
                    came = (ranks[last : last + 4] <= k).mean(axis=1)
                    inside = (found.low <= came) & (came <= found.high)
                    for at, size in enumerate(ahead):
                        off[2 ** round(np.log2(size / sizes[last - 1]))].append((found.recall[at] - came[at], inside[at]))
    assert max(off) == FURTHEST
    assert sum(map(len, off.values())) == 296
    for times, (error, bias, coverage) in STATED.items():
        errors, inside = np.array(off[times]).T
        assert np.abs(errors).mean() == pytest.approx(error, abs=0.006), times
        assert errors.mean() == pytest.approx(bias, abs=0.006), times
        assert inside.mean() == pytest.approx(coverage, abs=0.006), times
