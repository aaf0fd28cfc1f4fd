"""Scores of real spaces against published numbers and the outputs of the paper's own code."""

import csv
import json
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from support.brute_table import BruteTable, cosine, table

import consilience
from consilience_server.core.cka import linear_hsic, unbiased_hsic_of
from consilience_server.core.cknna import cknna_terms
from consilience_server.core.control import Control
from consilience_server.core.mutual_knn import mutual_knn
from consilience_server.core.ordered_lists import ordered_lists
from consilience_server.core.preprocess import platonic_rep
from consilience_server.core.ridge import ridge_path
from consilience_server.engine.alignment_scores import ScoreOptions
from consilience_server.engine.list_scores import list_scores
from consilience_server.engine.neighbour_scores import mutual_knn_scores
from consilience_server.engine.overlap import keyed_sets, overlap_scores

DATA = Path(os.environ.get("CONSILIENCE_REFERENCE_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
K = 10

pytestmark = [
    pytest.mark.reference,
    pytest.mark.skipif(not (DATA / "reference_scores.json").is_file(), reason="no reference data"),
]


def load(name):
    return np.load(DATA / name, allow_pickle=False)


def score(x, y, k=K):
    return float(overlap_scores(*(keyed_sets([table(side, k).sets(k)], np.arange(len(side))) for side in (x, y)))[0])


def z_scored(x):
    x = x.astype(np.float64)
    return (x - x.mean(axis=0)) / x.std(axis=0)


@pytest.fixture(scope="module")
def words():
    """Vectors of the words in both files, in the order of the Twitter file."""
    news, twitter = load("word2vec_gnews8k.npz"), load("glove_twitter25.npz")
    keys = {name: next(key for key in file.files if file[key].ndim == 1) for name, file in (("news", news), ("twitter", twitter))}
    vectors = {name: next(key for key in file.files if file[key].ndim == 2) for name, file in (("news", news), ("twitter", twitter))}
    row = {str(word): at for at, word in enumerate(news[keys["news"]])}
    shared = [(row[str(word)], at) for at, word in enumerate(twitter[keys["twitter"]]) if str(word) in row]
    left, right = np.array(shared).T
    return news[vectors["news"]][left], twitter[vectors["twitter"]][right]


@pytest.fixture(scope="module")
def digits():
    file = load("mfeat.npz")
    views = {name: z_scored(file[name]) for name in ("fou", "fac", "kar", "pix", "zer", "mor")}
    return {name: table(x, K).sets(K) for name, x in views.items()}


@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [
        ("pix", "kar", 0.564),
        ("pix", "fac", 0.533),
        ("fac", "kar", 0.422),
        ("pix", "zer", 0.324),
        ("fou", "pix", 0.122),
        ("fou", "mor", 0.062),
    ],
)
def test_digits(digits, x, y, expected):
    assert mutual_knn(digits[x], digits[y]) == pytest.approx(expected, abs=0.001)


def test_digits_by_the_public_option():
    """The recipe of the numbers is columns z-scored, and users ask for it by name."""
    file = load("mfeat.npz")
    expected = {("pix", "kar"): 0.564, ("pix", "fac"): 0.533, ("fac", "kar"): 0.422, ("pix", "zer"): 0.324, ("fou", "mor"): 0.062}
    for (x, y), score in expected.items():
        report = consilience.align_arrays(file[x], file[y], k=K, preprocess="standardize", permutations=0, interval_kind="queries")
        assert report.score == pytest.approx(score, abs=0.005), (x, y)
        assert report.preprocess == "standardize"


def test_shared_words(words):
    x, y = words
    assert len(x) == 6155
    assert score(x, y) == pytest.approx(0.144, abs=0.001)


def test_things():
    file = load("things.npz")
    spaces = {name: file[name] for name in file.files if file[name].ndim == 2}
    by_width = {x.shape[1]: x for x in spaces.values()}
    assert score(by_width[66], by_width[42]) == pytest.approx(0.529, abs=0.001)


def test_feature_norms():
    with (DATA / "things_gpt4_norms.csv").open(newline="", encoding="utf-8") as file:
        told = {(row["concept_id"], row["decoded_feature"]) for row in csv.DictReader(file)}
    objects, counts = sorted({concept for concept, _ in told}), Counter(feature for _, feature in told)
    features = {feature: at for at, feature in enumerate(sorted(feature for feature, count in counts.items() if count >= 3))}
    assert (len(objects), len(features)) == (317, 788)
    norms = np.zeros((317, 788))
    for concept, feature in told:
        if feature in features:
            norms[objects.index(concept), features[feature]] = 1
    norms *= np.log(317 / norms.sum(axis=0))
    file = load("things.npz")
    row = {str(concept): at for at, concept in enumerate(file["ids"])}
    assert score(norms, file["spose66"][[row[concept] for concept in objects]]) == pytest.approx(0.426, abs=0.001)


def test_brains_predict_the_words_that_they_read():
    """Leave two out (Mitchell et al. 2008): which of two held-out recordings belongs to which of two words?"""
    brains, file = load("mitchell60.npz"), load("word2vec_gnews8k.npz")
    row = {str(word): at for at, word in enumerate(file["words"])}
    known = [at for at, word in enumerate(brains["words"]) if str(word).lower() in row]
    words = z_scored(file["vectors"][[row[str(brains["words"][at]).lower()] for at in known]])
    assert len(known) == 38
    above, people = np.triu_indices(38, 1), []
    for person in range(1, 10):
        voxels = z_scored(brains[f"S{person}"][known])
        predicted = np.empty_like(words)
        for left_out in range(38):
            rest = np.arange(38) != left_out
            path = ridge_path(voxels[rest], words[rest])
            predicted[left_out] = voxels[left_out] @ path.weights(1000 / path.scale)
        similarities = cosine_between(predicted - predicted.mean(axis=0), words - words.mean(axis=0))
        own = np.diagonal(similarities)
        right = (own[:, None] + own)[above] > (similarities + similarities.T)[above]
        people.append(right.mean())
    assert np.mean(people) == pytest.approx(0.725, abs=0.005)


def cosine_between(x, y):
    return (x / np.linalg.norm(x, axis=1, keepdims=True)) @ (y / np.linalg.norm(y, axis=1, keepdims=True)).T


@pytest.mark.parametrize(
    ("n", "null"),
    [(2000, 0.005), (6155, 0.0017), (1854, 0.006), (317, 0.036), (693, 0.0149), (92, 0.110), (93, 0.11), (241, 0.042), (60, 0.169)],
)
def test_shuffled_pairings_of_the_reference_sets_score_what_chance_says(n, null):
    """Nulls were measured with another program by shuffling: digits, words, THINGS, norms, Wikipedia, images, colours, names, brains."""
    assert K / (n - 1) == pytest.approx(null, abs=0.005)


def test_wikipedia():
    x, y = wikipedia()
    assert score(x, y) == pytest.approx(0.0231, abs=0.001)


def test_images_and_brains():
    from scipy.spatial.distance import squareform

    file = load("images92_rdms.npz")
    monkey, human = (
        BruteTable(-squareform(file[name].reshape(-1)), K).sets(K) for name in ("K2008_mIT_674neurons", "K2008_hITvisStim_316vx")
    )
    assert mutual_knn(monkey, human) == pytest.approx(0.314, abs=0.001)


def wikipedia():
    file = load("wikipedia.npz")
    x, y = [file[key] for key in file.files if "test" in key and file[key].ndim == 2]
    return (x, y) if x.shape[1] == 128 else (y, x)


def goldens():
    path = DATA / "reference_scores.json"
    return (
        {key: value for key, value in json.loads(path.read_text()).items() if not key.startswith("_")} if path.is_file() else {"absent": {}}
    )


def spaces_of(name, words):
    if name.startswith("things"):
        file = load("things.npz")
        by_width = {file[key].shape[1]: file[key] for key in file.files if file[key].ndim == 2}
        return by_width[66], by_width[42 if "vice42" in name else 49]
    if name.startswith("mfeat"):
        file = load("mfeat.npz")
        _, _, x, _, y = name.split("_")
        return file[x], file[y]
    if name.startswith("wikipedia"):
        return wikipedia()
    return words[0][:1024], words[1][:1024]


@pytest.mark.parametrize("name", goldens())
def test_outputs_of_the_papers_code(name, words):
    golden = goldens()[name]
    x, y = (side.astype(np.float64) for side in spaces_of(name, words))
    assert (len(x), x.shape[1], y.shape[1]) == (golden["n"], golden["dx"], golden["dy"])
    x, y = (side / np.linalg.norm(side, axis=1, keepdims=True) for side in (x, y))
    for metric, parts in (("cka", linear_hsic(x, y)), ("unbiased_cka", unbiased_hsic_of(x, y))):
        with_constant = parts.xy / (np.sqrt(parts.xx * parts.yy) + 1e-6)
        assert with_constant == pytest.approx(golden["f64"][metric], abs=1e-4)
    for k in (5, 10):
        of_x, of_y = table(x, k).sets(k), table(y, k).sets(k)
        tied_rows = np.count_nonzero(of_x.tied | of_y.tied)
        # Their score is a mean of float32.
        assert mutual_knn(of_x, of_y) == pytest.approx(golden["f64"][f"mutual_knn_k{k}"], abs=1e-6 + tied_rows / len(x))


@pytest.mark.parametrize("name", goldens())
@pytest.mark.parametrize("metric", ["cycle_knn", "lcs_knn", "edit_distance_knn"])
def test_outputs_of_the_papers_code_on_ordered_lists(name, metric, words):
    golden = goldens()[name]["f64"][f"{metric}_k10"]
    x, y = spaces_of(name, words)
    tables, n = [table(side, K) for side in (x, y)], len(x)
    keys = np.random.default_rng(0).integers(0, 2**64, (3, n), dtype=np.uint64)
    found = list_scores(metric, tables, keys[:2], (K,), ScoreOptions(0, 0, 0.05, "queries", 0.95, keys[2], 1), Control())[0]
    score = found.score * (K if metric == "lcs_knn" else 1)
    # Where a tie decides a list, their order of equal values is another than ours.
    tied = found.tie_fraction_x + found.tie_fraction_y
    assert score == pytest.approx(golden, abs=1e-4 + tied * (K if metric == "lcs_knn" else 1))


@pytest.mark.parametrize("name", goldens())
def test_outputs_of_the_papers_code_of_cknna(name, words):
    golden = goldens()[name]["f64"]["cknna_k10"]
    kernels = [cosine(side.astype(np.float64)) for side in spaces_of(name, words)]
    n = len(kernels[0])
    lists = [ordered_lists(kernel, K, np.arange(n, dtype=np.uint64)) for kernel in kernels]
    cross, own_x, own_y = cknna_terms("cknna", *kernels, *lists)
    tied = sum(np.count_nonzero(BruteTable(kernel, K).sets(K).tied) for kernel in kernels) / n
    assert cross / (np.sqrt(own_x * own_y) + 1e-6) == pytest.approx(golden, abs=1e-4 + tied)


@pytest.mark.parametrize("name", goldens())
def test_the_papers_pipeline(name, words):
    golden = goldens()[name]
    prepared = [platonic_rep(np.ascontiguousarray(side, dtype=np.float32))[0] for side in spaces_of(name, words)]
    of_x, of_y = (table(side, K).sets(K) for side in prepared)
    tied_rows = np.count_nonzero(of_x.tied | of_y.tied)
    expected = golden["paper_pipeline_q0.95_mutual_knn_k10_f32"]
    # Their similarities are float32: two of them that differ less are tied there, and such a row may swap one neighbour of ten.
    near_rows = sum(count_near(side) for side in prepared)
    assert mutual_knn(of_x, of_y) == pytest.approx(expected, abs=1e-6 + (tied_rows + near_rows / K) / len(of_x.tied))


def count_near(x):
    """Rows whose similarities at places 10 and 11 differ by less than float32 resolves in a sum of products."""
    similarities = cosine(x)
    np.fill_diagonal(similarities, -np.inf)
    best = np.sort(similarities, axis=1)[:, -K - 1 :]
    return np.count_nonzero(best[:, 1] - best[:, 0] < 4 * np.finfo(np.float32).eps)


def test_nulls_of_real_spaces_have_their_mean(words):
    x, y = wikipedia()
    n = len(x)
    options = ScoreOptions(499, 0, 0.05, "queries", 0.95, np.random.default_rng(0).integers(0, 2**64, n, dtype=np.uint64), 1)
    found = mutual_knn_scores(table(x, K), table(y, K), (K,), options, Control())[0]
    assert found.chance == pytest.approx(0.0145, abs=1e-4)
    assert found.null_mean == pytest.approx(found.chance, abs=3 * found.null_sd / 499**0.5)
    assert found.p_value == 1 / 500
