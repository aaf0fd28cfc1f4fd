"""Words of Google News paired with words of Twitter: recall that others measured, and modes and margins by NumPy."""

import os
from pathlib import Path

import numpy as np
import pytest
import scipy.stats

import consilience

DATA = Path(os.environ.get("CONSILIENCE_REFERENCE_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))

pytestmark = [
    pytest.mark.reference,
    pytest.mark.skipif(not (DATA / "glove_twitter25.npz").is_file(), reason="no reference data"),
]

SCORES = {
    "none": lambda s, _near, _back: s,
    "csls": lambda s, near, back: 2 * s - near - back,
    "margin_ratio": lambda s, near, back: s / ((near + back) / 2),
    "margin_distance": lambda s, near, back: s - (near + back) / 2,
}


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def words(tmp_path_factory):
    """The recipe of the data: all words of word2vec brought to GloVe by least squares of 5,000 pairs; the other 1,155 alone; and GloVe."""
    files = [np.load(DATA / name, allow_pickle=False) for name in ("word2vec_gnews8k.npz", "glove_twitter25.npz")]
    rows = [{str(word): row for row, word in enumerate(file["words"])} for file in files]
    shared = [word for word in rows[1] if word in rows[0]]
    x, y = (file["vectors"][[row[word] for word in shared]].astype(np.float64) for file, row in zip(files, rows, strict=True))
    order = np.random.default_rng(0).permutation(len(shared))
    fit, test = order[:5000], order[5000:]
    x, y = (unit(unit(side) - unit(side)[fit].mean(axis=0)) for side in (x, y))
    mapped = x @ np.linalg.lstsq(x[fit], y[fit], rcond=None)[0]
    names = [f"{row:05d}" for row in range(len(shared))]
    client = consilience.Client.local(tmp_path_factory.mktemp("pairs") / "store", timeout=300)
    client.create_space("all-news", dim=25)
    client.create_space("news", dim=25)
    client.create_space("twitter", dim=25)
    client.upsert("all-news", names, mapped)
    client.upsert("news", [names[row] for row in test], mapped[test])
    client.upsert("twitter", names, y)
    sources = np.sort(test)
    similarities = unit(np.float32(mapped[sources]).astype(np.float64)) @ unit(np.float32(y).astype(np.float64)).T
    tops = [-np.sort(np.partition(-side, 10, axis=1)[:, :10], axis=1) for side in (similarities, similarities.T)]
    yield client, similarities, sources, tops
    client.close()


def mined(scores, mode):
    forward = [(i, int(j)) for i, j in enumerate(scores.argmax(axis=1))]
    backward = [(int(i), j) for j, i in enumerate(scores.argmax(axis=0))]
    kept = {"forward": forward, "backward": backward, "intersect": set(forward) & set(backward), "max": set(forward) | set(backward)}[mode]
    kept = sorted(kept, key=lambda pair: (-scores[pair], pair))
    if mode != "max":
        return kept
    sources, targets, taken = set(), set(), []
    for i, j in kept:
        if i not in sources and j not in targets:
            taken.append((i, j))
            sources.add(i)
            targets.add(j)
    return taken


@pytest.mark.parametrize(("correction", "known"), [("none", 0.572), ("csls", 0.635)])
def test_the_best_target_of_each_word_is_right_as_often_as_others_measured(words, correction, known):
    client, _, sources, _ = words
    # The bank of CSLS is all mapped words, as it is in the recipe.
    told = client.mutual_pairs("all-news", "twitter", mode="forward", correction=correction, known_pair_ids=ids_of(sources)).agreement
    assert told.recall == pytest.approx(known, abs=0.01)
    assert told.known_sources == 1155
    for value, interval, trials in ((told.precision, told.precision_interval, told.judged), (told.recall, told.recall_interval, 1155)):
        wilson = scipy.stats.binomtest(round(value * trials), trials).proportion_ci(method="wilson")
        assert tuple(interval) == pytest.approx(tuple(wilson), abs=1e-12)


@pytest.mark.parametrize("correction", SCORES)
@pytest.mark.parametrize("mode", ["forward", "backward", "intersect", "max"])
def test_modes_and_margins(words, mode, correction):
    client, similarities, sources, tops = words
    k = 4 if correction.startswith("margin") else 10
    near, back = (top[:, :k].mean(axis=1) for top in tops)
    scores = SCORES[correction](similarities, near[:, None], back[None, :])
    expected = mined(scores, mode)
    found = client.mutual_pairs("news", "twitter", mode=mode, correction=correction, known_pair_ids=ids_of(sources))
    pairs = [(int(np.searchsorted(sources, int(a))), int(b)) for a, b in zip(found.source_ids, found.target_ids, strict=True)]
    assert pairs == expected
    np.testing.assert_allclose(found.scores, [scores[pair] for pair in expected], rtol=0, atol=1e-12)
    right = [(i, j) for i, j in expected if sources[i] == j]
    told = found.agreement
    # Every source is known, so every pair is judged.
    assert (told.judged, told.right, told.found) == (len(expected), len(right), len({i for i, _ in right}))


def ids_of(sources):
    return [f"{row:05d}" for row in sources]
