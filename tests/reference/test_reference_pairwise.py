"""Published correlations of dissimilarities through the public API: brains and judgements of colours; RSA against SciPy on real objects."""

import os
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.distance import pdist
from scipy.stats import spearmanr

import consilience

DATA = Path(os.environ.get("CONSILIENCE_REFERENCE_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))

pytestmark = [
    pytest.mark.reference,
    pytest.mark.skipif(not (DATA / "images92_rdms.npz").is_file(), reason="no reference data"),
]


def load(name):
    return np.load(DATA / name, allow_pickle=False)


def of_rdms(x, y, comparison, **options):
    return consilience.align_arrays(
        x, y, metric="rsa", rdm_comparison=comparison, x_kernel="dissimilarity", y_kernel="dissimilarity", **options
    )


def test_human_and_monkey_it_as_published():
    file = load("images92_rdms.npz")
    monkey, human = (file[key].reshape(-1) for key in ("K2008_mIT_674neurons", "K2008_hITvisStim_316vx"))
    # Kriegeskorte et al. 2008: r = 0.49.
    report = of_rdms(monkey, human, "pearson", permutations=999)
    assert report.score == pytest.approx(0.4912, abs=5e-5)
    assert (report.n, report.chance, report.p_value) == (92, 0.0, 0.001)
    assert report.interval.low < 0.4912 < report.interval.high
    assert of_rdms(monkey, human, "spearman", permutations=0).score == pytest.approx(0.439, abs=5e-4)
    as_sent = spearmanr(*(rdm.astype(np.float32) for rdm in (monkey, human))).statistic
    assert of_rdms(monkey, human, "spearman", permutations=0).score == pytest.approx(as_sent, abs=1e-12)


def test_people_and_cielab_order_colours_alike():
    file = load("colour_similarity.npz")
    judged = file["dissimilarity"].astype(np.float64)
    judged = 0.5 * (judged + judged.transpose(0, 2, 1))
    judged[:, np.arange(93), np.arange(93)] = 0.0
    codes = [str(code) for code in file["hex"]]
    rgb = np.array([[int(code[at : at + 2], 16) for at in (1, 3, 5)] for code in codes]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    primaries = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]])
    relative = linear @ primaries.T / np.array([0.95047, 1.0, 1.08883])
    edge = 6 / 29
    bent = np.where(relative > edge**3, np.cbrt(relative), relative / (3 * edge**2) + 4 / 29)
    lab = np.stack([116 * bent[:, 1] - 16, 500 * (bent[:, 0] - bent[:, 1]), 200 * (bent[:, 1] - bent[:, 2])], axis=1)
    mean = judged.mean(axis=0)
    report = consilience.align_arrays(mean, lab, metric="rsa", rdm_distance="euclidean", x_kernel="dissimilarity", permutations=0)
    assert 0.73 < report.score < 0.76
    assert report.score == pytest.approx(spearmanr(mean[np.triu_indices(93, 1)], pdist(lab)).statistic, abs=1e-5)


def test_objects_as_scipy_has_them():
    file = load("things.npz")
    by_width = {file[key].shape[1]: file[key].astype(np.float64) for key in file.files if file[key].ndim == 2}
    x, y = by_width[66], by_width[42]
    report = consilience.align_arrays(x, y, metric="rsa", permutations=0, interval_kind="queries")
    assert (report.n, report.sampled_items) == (1854, None)
    x, y = (side.astype(np.float32).astype(np.float64) for side in (x, y))
    assert report.score == pytest.approx(spearmanr(pdist(x, "correlation"), pdist(y, "correlation")).statistic, abs=1e-9)
