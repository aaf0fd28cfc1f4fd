"""Published judgements, brains and their models through kernel spaces, as a user has them: the public API against known numbers."""

import itertools
import json
import os
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.distance import pdist

import consilience

DATA = Path(os.environ.get("CONSILIENCE_REFERENCE_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
TOLERANCE = 0.005

pytestmark = [
    pytest.mark.reference,
    pytest.mark.skipif(not (DATA / "images92_rdms.npz").is_file(), reason="no reference data"),
]


def load(name):
    return np.load(DATA / name, allow_pickle=False)


def score(x, y, **options):
    return consilience.align_arrays(x, y, permutations=0, interval_kind="queries", **options).score


def of_rdms(x, y, **options):
    return score(x, y, x_kernel="dissimilarity", y_kernel="dissimilarity", **options)


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    with consilience.Client.local(tmp_path_factory.mktemp("kernels") / "store") as made:
        yield made


@pytest.fixture(scope="module")
def images(client):
    """The RDMs of 92 images as kernel spaces."""
    file = load("images92_rdms.npz")
    names = {"monkey": "K2008_mIT_674neurons", "human": "K2008_hITvisStim_316vx", "v1": "V1"}
    ids = [f"image {row}" for row in range(92)]
    for name, key in names.items():
        client.create_space(name, kind="kernel", dissimilarity=True, modality="image")
        client.upsert(name, ids, file[key].reshape(-1))
    return client


@pytest.fixture(scope="module")
def colours():
    """Dissimilarities of 93 colours judged by five groups, zero with themselves, and the colours' CIELAB."""
    file = load("colour_similarity.npz")
    judged = file["dissimilarity"].astype(np.float64)
    judged[:, np.arange(93), np.arange(93)] = 0
    return judged, cielab([str(code) for code in file["hex"]])


def cielab(codes):
    """(n, 3) of sRGB hex codes under D65."""
    rgb = np.array([[int(code[at : at + 2], 16) for at in (1, 3, 5)] for code in codes]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    primaries = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]])
    relative = linear @ primaries.T / np.array([0.95047, 1.0, 1.08883])
    edge = 6 / 29
    bent = np.where(relative > edge**3, np.cbrt(relative), relative / (3 * edge**2) + 4 / 29)
    return np.stack([116 * bent[:, 1] - 16, 500 * (bent[:, 0] - bent[:, 1]), 200 * (bent[:, 1] - bent[:, 2])], axis=1)


def test_kriegeskorte_of_human_and_monkey_it(images):
    pearson = images.align("monkey", "human", metric="rsa", rdm_comparison="pearson", permutations=199)
    spearman = images.align("monkey", "human", metric="rsa", rdm_comparison="spearman", permutations=199)
    assert pearson.score == pytest.approx(0.4912, abs=5e-5)
    assert spearman.score == pytest.approx(0.439, abs=TOLERANCE)
    assert pearson.p_value == spearman.p_value == 1 / 200
    assert (pearson.n, pearson.kernel_rule_x) == (92, "d")


def test_sixteen_people_judge_the_images_and_their_noise_ceiling_is_known(images):
    judged = load("images92_rdms.npz")["behaviour_16subj"]
    images.create_space("judged", kind="kernel", dissimilarity=True, repeats=[f"person {person}" for person in range(16)])
    images.upsert("judged", [f"image {row}" for row in range(92)], judged)
    found = images.noise_ceiling("judged", ["human", "v1"], comparison="pearson", draws=50)
    scaled = (judged - judged.mean(axis=1, keepdims=True)) / judged.std(axis=1, keepdims=True)
    lower = [np.corrcoef(np.delete(scaled, at, axis=0).mean(axis=0), scaled[at])[0, 1] for at in range(16)]
    upper = [np.corrcoef(scaled.mean(axis=0), scaled[at])[0, 1] for at in range(16)]
    assert (found.lower, found.upper) == pytest.approx((np.mean(lower), np.mean(upper)), abs=1e-6)
    human, v1 = found.scores["human"], found.scores["v1"]
    assert human.score > v1.score
    assert human.interval[0] < human.score < human.interval[1]


def test_human_and_monkey_it_share_neighbours(images):
    report = images.align("monkey", "human", k=10, permutations=199)
    assert report.score == pytest.approx(0.314, abs=TOLERANCE)
    assert report.p_value == 1 / 200


def test_human_it_and_v1_share_no_more_than_chance(images):
    report = images.align("human", "v1", k=10, permutations=199)
    assert report.score == pytest.approx(0.103, abs=TOLERANCE)
    assert report.chance == pytest.approx(0.110, abs=TOLERANCE)
    assert (report.calibrated, report.p_value > 0.05) == (0, True)


def test_groups_of_people_agree_on_colours(colours):
    judged, _ = colours
    found = [of_rdms(x, y) for x, y in itertools.combinations(judged, 2)]
    assert len(found) == 10
    assert min(found) == pytest.approx(0.47, abs=0.0052)
    assert max(found) == pytest.approx(0.52, abs=TOLERANCE)


def test_people_and_cielab_agree_on_colours(colours):
    judged, lab = colours
    assert of_rdms(judged.mean(axis=0), pdist(lab)) == pytest.approx(0.66, abs=0.0052)
    assert 0.73 <= of_rdms(judged.mean(axis=0), pdist(lab), metric="rsa") <= 0.76


def test_judgements_of_a_colour_with_itself_contradict_a_dissimilarity():
    judged = load("colour_similarity.npz")["dissimilarity"][0]
    with pytest.raises(consilience.InvalidArgumentError, match=r"with itself.*zero"):
        of_rdms(judged, judged)


def test_names_of_colours_know_their_colours():
    colours, file = json.loads((DATA / "xkcd_colours.json").read_text())["colors"], load("word2vec_gnews8k.npz")
    row = {str(word): at for at, word in enumerate(file["words"])}
    known = [entry for entry in colours if all(word in row for word in entry["color"].split())]
    vectors = np.array([file["vectors"][[row[word] for word in entry["color"].split()]].mean(axis=0) for entry in known])
    lab = pdist(cielab([entry["hex"] for entry in known]))
    assert len(known) == 241
    assert score(lab, vectors, x_kernel="euclidean") == pytest.approx(0.230, abs=TOLERANCE)


def test_sixty_nouns_are_a_small_n_trap():
    file = load("mitchell60.npz")
    people = [file[f"S{person}"] for person in range(1, 10)]
    reports = [consilience.align_arrays(x, y, permutations=0, interval_kind="queries") for x, y in itertools.combinations(people, 2)]
    assert np.mean([report.score for report in reports]) == pytest.approx(0.181, abs=TOLERANCE)
    assert reports[0].chance == pytest.approx(0.169, abs=TOLERANCE)
