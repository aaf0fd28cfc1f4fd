"""Noise ceilings as users have them: a space of raters, models against it."""

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import pdist

import consilience

INVALID = consilience.InvalidArgumentError
N, R = 24, 5
DRAW = np.random.default_rng(5)
POINTS = DRAW.normal(size=(N, 4)).astype(np.float32)
TRUE = pdist(POINTS)
RATED = TRUE + 1.5 * DRAW.random((R, len(TRUE)))
GAPPY = np.where(DRAW.random(RATED.shape) < 0.2, np.nan, RATED)
GAPPY[0] = RATED[0]
IDS = [f"item-{row}" for row in DRAW.permutation(N)]
RATERS = ["ann", "bob", "cyd", "dan", "eve"]


@pytest.fixture(scope="module")
def spaces(client):
    """Complete and gappy ratings, the points, their distances as a kernel, and noise."""
    for name, matrices in (("rated", RATED), ("gappy", GAPPY)):
        client.create_space(name, kind="kernel", dissimilarity=True, repeats=RATERS)
        client.upsert(name, IDS, matrices)
    client.create_space("points", dim=4, similarity="squared_l2")
    client.upsert("points", IDS, POINTS)
    client.create_space("distances", kind="kernel", dissimilarity=True, dissimilarity_kind="euclidean")
    client.upsert("distances", IDS, TRUE)
    client.create_space("noise", dim=6)
    client.upsert("noise", IDS, np.random.default_rng(6).normal(size=(N, 6)))
    return client


def test_ceiling_and_scores_are_the_means_over_raters(spaces):
    found = spaces.noise_ceiling("rated", ["distances", "noise"], comparison="pearson", draws=0)
    scaled = stats.zscore(np.float32(RATED).astype(np.float64), axis=1)
    lower = [stats.pearsonr(np.delete(scaled, at, axis=0).mean(axis=0), scaled[at]).statistic for at in range(R)]
    upper = [stats.pearsonr(scaled.mean(axis=0), scaled[at]).statistic for at in range(R)]
    assert (found.lower, found.upper) == pytest.approx((np.mean(lower), np.mean(upper)), abs=1e-9)
    assert found.lower_by_repeat == pytest.approx(lower, abs=1e-9)
    assert (found.repeats, found.n, found.pairs.tolist()) == (tuple(RATERS), N, [len(TRUE)] * R)
    score = found.scores["distances"]
    by_repeat = [stats.pearsonr(np.float32(TRUE), np.float32(rated)).statistic for rated in RATED]
    assert score.by_repeat == pytest.approx(by_repeat, abs=1e-6)
    assert score.normalised == pytest.approx((score.score / found.upper, score.score / found.lower))
    assert (score.rule, score.interval) == ("d", None)
    assert found.scores["noise"].score < score.score
    assert found.scores["noise"].rule == "correlation"


@pytest.mark.parametrize("comparison", ["spearman", "kendall_tau_b", "cosine"])
def test_gaps_are_left_out_pair_by_pair(spaces, comparison):
    found = spaces.noise_ceiling("gappy", "points", comparison=comparison, rdm_distance="euclidean", draws=0)
    assert found.pairs.tolist() == np.count_nonzero(~np.isnan(GAPPY), axis=1).tolist()
    assert found.lower < found.upper
    if comparison == "spearman":
        terms = [stats.spearmanr(TRUE[known], row[known]).statistic for row in GAPPY for known in [~np.isnan(row)]]
        assert found.scores["points"].by_repeat == pytest.approx(terms, abs=1e-6)


@pytest.mark.parametrize("name", ["rated", "gappy"])
def test_intervals_are_of_subjects_and_items(spaces, name):
    found = spaces.noise_ceiling(name, ["distances", "noise"], draws=200, seed=4)
    for score in found.scores.values():
        low, high = score.interval
        assert low < score.score < high
    assert found.scores["noise"].interval[0] < 0 < found.scores["noise"].interval[1]
    assert found.scores["distances"].interval[0] > 0
    again = spaces.noise_ceiling(name, ["distances", "noise"], draws=200, seed=4)
    assert {key: score.interval for key, score in again.scores.items()} == {key: score.interval for key, score in found.scores.items()}
    alone = spaces.noise_ceiling(name, "noise", draws=200, seed=4)
    assert alone.scores["noise"].interval == pytest.approx(found.scores["noise"].interval, abs=1e-12)
    assert "of the ceiling" in repr(found)
    assert "subjects and items" in repr(found)


def test_a_space_without_repeats_has_no_ceiling(spaces):
    for name in ("distances", "points"):
        with pytest.raises(INVALID, match="has no repeats") as refused:
            spaces.noise_ceiling(name)
        assert refused.value.field == "space"


BAD = {
    "a space twice": ({"against": ["noise", "noise"]}, "against"),
    "one draw": ({"draws": 1}, "draws"),
    "too many draws": ({"draws": 10**9}, "draws"),
    "an unknown comparison": ({"comparison": "euclid"}, "comparison"),
    "confidence": ({"confidence": 1.5}, "confidence"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_questions_name_their_field(spaces, case):
    options, field = BAD[case]
    with pytest.raises(INVALID) as refused:
        spaces.noise_ceiling("rated", **options)
    assert field in (refused.value.field or "")


def test_a_space_that_is_not_there(spaces):
    with pytest.raises(consilience.NotFoundError, match="nobody"):
        spaces.noise_ceiling("rated", "nobody")


@pytest.fixture(scope="module")
def recordings(client):
    """Three sessions of the same voxels, of which the last is constant, their mean, and the model that made them."""
    draw = np.random.default_rng(8)
    model = draw.normal(size=(300, 6))
    voxels = model @ draw.normal(size=(6, 5))
    sessions = (voxels + draw.normal(size=(3, 300, 5)) * np.array([0.2, 1, 3, 6, 1])).astype(np.float32)
    sessions[:, :, 4] = 1
    ids = [f"stimulus {row}" for row in range(300)]
    for name, vectors in (
        ("session-1", sessions[0]),
        ("session-2", sessions[1]),
        ("session-3", sessions[2]),
        ("voxels", sessions.mean(axis=0)),
    ):
        client.create_space(name, dim=5)
        client.upsert(name, ids, vectors)
    client.create_space("model", dim=6)
    client.upsert("model", ids, model)
    return sessions


def test_reliability_is_spearman_brown_of_the_sessions(client, recordings):
    found = client.reliability(["session-1", "session-2", "session-3"])
    correlations = [
        np.corrcoef(recordings[i, :, column], recordings[j, :, column])[0, 1] for column in range(4) for i, j in ((0, 1), (0, 2), (1, 2))
    ]
    mean = np.array(correlations).reshape(4, 3).mean(axis=1)
    assert found.reliability[:4] == pytest.approx(3 * mean / (1 + 2 * mean), abs=1e-6)
    assert np.isnan(found.reliability[4])
    assert found.median == pytest.approx(np.median(found.reliability[:4]))
    assert (found.n, [use.name for use in found.spaces]) == (300, ["session-1", "session-2", "session-3"])
    assert "3 recordings" in repr(found)


def test_a_linear_encoder_reaches_the_ceiling_of_each_voxel(client, recordings):
    assert recordings.shape == (3, 300, 5)
    reliability = client.reliability(["session-1", "session-2", "session-3"])
    report = client.align("model", "voxels", metric="linear_predictivity", target_score="pearson", permutations=0, interval_kind="queries")
    shares = report.fit.normalised(reliability)
    assert shares[:3] == pytest.approx(np.ones(3), abs=0.1)
    assert np.isnan(shares[4])
    assert (report.fit.target_scores[:4] < shares[:4]).all()
    explained = client.align("model", "voxels", metric="linear_predictivity", permutations=0, interval_kind="queries").fit
    assert explained.normalised(reliability)[:3] == pytest.approx(explained.target_scores[:3] / reliability.reliability[:3])
    with pytest.raises(INVALID, match="3 columns, the fit 5"):
        report.fit.normalised(np.ones(3))


@pytest.mark.parametrize(
    ("names", "reason", "told"),
    [
        (["session-1"], "INVALID_ARGUMENT", "two or more"),
        (["session-1", "session-1"], "INVALID_ARGUMENT", "named once"),
        (["session-1", "model"], "DIMENSION_MISMATCH", "5, 6"),
        (["rated", "gappy"], "KERNEL_SPACE", "kernel"),
    ],
)
@pytest.mark.usefixtures("spaces", "recordings")
def test_what_has_no_reliability_is_refused(client, names, reason, told):
    with pytest.raises(INVALID, match=told) as refused:
        client.reliability(names)
    assert refused.value.reason == reason


def test_the_same_as_an_operation(spaces):
    asked = {"comparison": "pearson", "draws": 200, "seed": 3}
    started = spaces.noise_ceiling("rated", ["distances", "noise"], wait=False, **asked)
    assert (isinstance(started, consilience.Operation), started.kind) == (True, "measure_noise_ceiling")
    assert spaces.wait_operation(started, timeout=60) == spaces.noise_ceiling("rated", ["distances", "noise"], **asked)


def test_repeats_are_of_kernels_and_what_has_none_is_told_what_to_ask(spaces):
    with pytest.raises(INVALID, match="of vectors those are spaces of their own, so ask their reliability") as refused:
        spaces.noise_ceiling("points")
    assert refused.value.field == "space"
    with pytest.raises(INVALID, match="has no repeats"):
        spaces.noise_ceiling("distances")
    for asked, field in (({"comparison": "rank"}, "comparison"), ({"rdm_distance": "far"}, "rdm_distance"), ({"draws": 1}, "draws")):
        with pytest.raises(INVALID) as refused:
            spaces.noise_ceiling("rated", "points", **asked)
        assert refused.value.field == field
