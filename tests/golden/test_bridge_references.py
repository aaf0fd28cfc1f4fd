"""Bridges on data that nobody here made, against numbers measured independently; the recipes stand in the data's README."""

import os
from pathlib import Path

import numpy as np
import pytest

from consilience_server.bridges.apply import centre_gallery, make_ready, map_vectors
from consilience_server.bridges.choose import fit_and_choose
from consilience_server.bridges.fit import fit_map
from consilience_server.bridges.held_out_retrieval import FitProblem
from consilience_server.bridges.ridge_penalty import PENALTIES
from consilience_server.core.canonical import canonical
from consilience_server.core.centring import unit
from consilience_server.core.control import Control
from consilience_server.core.csls import neighbourhood_mean
from consilience_server.core.retrieval import partner_ranks, recall_at_k
from consilience_server.core.similarity import Similarity
from consilience_server.engine.exact_neighbours import ExactNeighbours
from consilience_server.engine.faiss_cpu import FaissCpuScan

pytestmark = pytest.mark.reference

DATA = Path(os.environ.get("CONSILIENCE_REFERENCE_DATA", Path(__file__).parents[3] / "shared" / "data"))
CONTROL = Control()
ENGINE = ExactNeighbours(FaissCpuScan(1), 1)


def load(name):
    if not (DATA / name).is_file():
        pytest.skip("no reference data")
    return np.load(DATA / name, allow_pickle=False)


@pytest.fixture(scope="module")
def words():
    word2vec, glove = load("word2vec_gnews8k.npz"), load("glove_twitter25.npz")
    row = {word: i for i, word in enumerate(word2vec["words"])}
    vocabulary = glove["words"]
    shared = [i for i, word in enumerate(vocabulary) if word in row]
    assert len(shared) == 6155
    sides = {
        "word2vec": word2vec["vectors"][[row[vocabulary[i]] for i in shared]].astype(np.float32),
        "glove": glove["vectors"][shared].astype(np.float32),
    }
    order = np.random.default_rng(0).permutation(6155)
    return sides, order[:5000], order[5000:]


@pytest.mark.parametrize(
    ("source", "target", "method", "plain", "corrected", "at_ten"),
    [
        ("word2vec", "glove", "ridge", 0.572, 0.635, 0.827),
        ("word2vec", "glove", "procrustes", 0.468, 0.538, 0.788),
        ("glove", "word2vec", "ridge", 0.191, 0.409, 0.550),
    ],
)
def test_words(words, source, target, method, plain, corrected, at_ten):
    sides, fit, test = words
    x, y = sides[source], sides[target]
    # Penalty 0: least squares.
    fitted, _ = fit_map(method, x[fit], y[fit], (0.0,), CONTROL)
    ready = make_ready(fitted)
    bank, gallery = map_vectors(ready, x, CONTROL), centre_gallery(ready, y, CONTROL)
    ranks = partner_ranks(bank[test], gallery, test)
    assert recall_at_k(ranks, 1) == pytest.approx(plain, abs=0.01)
    assert recall_at_k(ranks, 10) == pytest.approx(at_ten, abs=0.01)
    # The bank is all mapped source words, as the service has it.
    term = neighbourhood_mean(ENGINE.query(gallery, bank, Similarity.COSINE, 10, control=CONTROL).scores, 10)
    found = ENGINE.query(bank[test], gallery, Similarity.COSINE, 1, bias=term, control=CONTROL)
    assert (found.indices[:, 0] == test).mean() == pytest.approx(corrected, abs=0.01)
    top = ENGINE.query(bank[test], gallery, Similarity.COSINE, 1, control=CONTROL)
    assert (top.indices[:, 0] == test).mean() == recall_at_k(ranks, 1)


def retrieval(x, y, count, method="ridge"):
    """Fit on all but the first `count` of the seeded permutation; recall among the held-out items alone."""
    order = np.random.default_rng(0).permutation(len(x))
    test, fit = order[:count], order[count:]
    ids = np.array([f"{i:05d}" for i in test], dtype=object)
    problem = FitProblem(x[fit], y[fit], x[test], np.arange(count), y[test], ids, ids)
    return fit_and_choose(problem, method, PENALTIES, ENGINE, CONTROL)


def near(recall, anchor, count):
    """Within two binomial standard errors."""
    return abs(recall - anchor) <= 2 * np.sqrt(anchor * (1 - anchor) / count)


def standardised(x, count):
    """The recipe's columns: mean 0 and deviation 1 over the items of the fit."""
    fit = np.random.default_rng(0).permutation(len(x))[count:]
    return ((x - x[fit].mean(axis=0)) / x[fit].std(axis=0)).astype(np.float32)


@pytest.mark.parametrize(("source", "anchor"), [("fac", 0.995), ("fou", 0.05)])
def test_digits(source, anchor):
    views = load("mfeat.npz")
    x, y = (standardised(views[name].astype(np.float64), 400) for name in (source, "pix"))
    fitted = retrieval(x, y, 400)
    assert near(fitted.held_out.recalls[1], anchor, 400)


def test_objects():
    objects = load("things.npz")
    names = {array.shape[1]: array for array in (objects[key] for key in objects.files) if array.ndim == 2}
    x, y = (standardised(names[width].astype(np.float64), 371) for width in (66, 42))
    fitted = retrieval(x, y, 371)
    assert near(fitted.held_out.recalls[1], 0.914, 371)


def test_objects_by_auto():
    """The best method by more than one standard error is kept, whatever space it maps into."""
    objects = load("things.npz")
    names = {array.shape[1]: array for array in (objects[key] for key in objects.files) if array.ndim == 2}
    x, y = (standardised(names[width].astype(np.float64), 371) for width in (66, 42))
    fitted = retrieval(x, y, 371, "auto")
    best = max(report.recalls[1] for report in fitted.candidates)
    assert best - fitted.held_out.recalls[1] <= 2 * np.sqrt(2 * best * (1 - best) / 371)
    assert fitted.held_out.recalls[1] >= 0.914


@pytest.mark.parametrize(
    ("source", "target", "method", "least"), [("word2vec", "glove", "ridge", 0.57), ("glove", "word2vec", "whitened", 0.55)]
)
def test_words_by_auto(words, source, target, method, least):
    """Into the wider space, whitening with re-weighting finds three times as many partners as least squares (.191)."""
    sides, fit, test = words
    ids = np.array([f"{i:05d}" for i in range(6155)], dtype=object)
    x, y = sides[source], sides[target]
    problem = FitProblem(x[fit], y[fit], x[test], test, y, ids[test], ids)
    fitted = fit_and_choose(problem, "auto", PENALTIES, ENGINE, CONTROL)
    recalls = {report.method: report.recalls[1] for report in fitted.candidates}
    assert fitted.method == method
    assert fitted.held_out.recalls[1] >= least
    assert max(recalls.values()) - recalls[method] <= np.sqrt(0.5 / 1155)


def mean_average_precision(scores, queries, gallery):
    """Over whole rankings; relevant is what has the query's class."""
    precisions = []
    for row, label in zip(scores, queries, strict=True):
        relevant = gallery[np.argsort(-row, kind="stable")] == label
        precisions.append((np.cumsum(relevant) / np.arange(1, len(relevant) + 1))[relevant].mean())
    return np.mean(precisions)


def test_wikipedia_by_cca():
    data = load("wikipedia.npz")
    means = [data[f"{side}_train"].mean(axis=0) for side in ("image", "text")]
    x, y = (data[f"{side}_train"] - mean for side, mean in zip(("image", "text"), means, strict=True))
    of_x, of_y = canonical(x, y, 1e-4).projections(7)
    left, right = unit((data["image_test"] - means[0]) @ of_x), unit((data["text_test"] - means[1]) @ of_y)
    tested = data["class_test"]
    assert len(tested) == 693
    assert mean_average_precision(left @ right.T, tested, tested) == pytest.approx(0.247, abs=0.01)
    assert mean_average_precision(right @ left.T, tested, tested) == pytest.approx(0.201, abs=0.01)
