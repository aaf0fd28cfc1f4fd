"""Bridges on data that nobody here made, against numbers measured independently; the recipes stand in the data's README."""

import os
from pathlib import Path

import numpy as np
import pytest

from consilience_server.bridges.apply import centre_gallery, make_ready, map_vectors
from consilience_server.bridges.choose import FitProblem, fit_and_choose
from consilience_server.bridges.fit import fit_map
from consilience_server.bridges.ridge_penalty import PENALTIES
from consilience_server.core.control import Control
from consilience_server.core.csls import neighbourhood_mean
from consilience_server.core.retrieval import partner_ranks, recall_at_k
from consilience_server.core.similarity import Similarity
from consilience_server.engine.exact_neighbours import ExactNeighbours
from consilience_server.engine.faiss_cpu import FaissCpuScan

pytestmark = pytest.mark.reference

DATA = Path(os.environ.get("CONSILIENCE_REFERENCE_DATA", Path(__file__).parents[3] / "shared" / "data"))
CONTROL = Control()


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
    engine = ExactNeighbours(FaissCpuScan(1), 1)
    # The bank is all mapped source words, as the service has it.
    term = neighbourhood_mean(engine.query(gallery, bank, Similarity.COSINE, 10, control=CONTROL).scores, 10)
    found = engine.query(bank[test], gallery, Similarity.COSINE, 1, bias=term, control=CONTROL)
    assert (found.indices[:, 0] == test).mean() == pytest.approx(corrected, abs=0.01)
    top = engine.query(bank[test], gallery, Similarity.COSINE, 1, control=CONTROL)
    assert (top.indices[:, 0] == test).mean() == recall_at_k(ranks, 1)


def retrieval(x, y, count, method="ridge"):
    """Fit on all but the first `count` of the seeded permutation; recall among the held-out items alone."""
    order = np.random.default_rng(0).permutation(len(x))
    test, fit = order[:count], order[count:]
    ids = np.array([f"{i:05d}" for i in test], dtype=object)
    problem = FitProblem(x[fit], y[fit], x[test], np.arange(count), y[test], ids, ids)
    return fit_and_choose(problem, method, PENALTIES, CONTROL)


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


def test_auto_keeps_what_retrieves_best(words):
    sides, fit, test = words
    ids = np.array([f"{i:05d}" for i in range(6155)], dtype=object)
    x, y = sides["word2vec"], sides["glove"]
    problem = FitProblem(x[fit], y[fit], x[test], test, y, ids[test], ids)
    fitted = fit_and_choose(problem, "auto", PENALTIES, CONTROL)
    recalls = {report.method: report.recalls[1] for report in fitted.candidates}
    assert fitted.method == "ridge" == max(recalls, key=recalls.get)
    assert recalls["ridge"] == pytest.approx(0.572, abs=0.01)
    assert recalls["procrustes"] == pytest.approx(0.468, abs=0.01)
