"""`given`: alignment beyond a third space, over a server and in-process alike."""

import numpy as np
import pytest

import consilience
from consilience_server.core.partial import beyond

N = 70


@pytest.fixture
def spaces(client, name):
    """x and y see z and nothing else in common; `more` sees a little of x's own."""
    draw = np.random.default_rng(1)
    z = draw.normal(size=(N, 5))
    own = draw.normal(size=(N, 8))
    made = {
        "x": z @ draw.normal(size=(5, 8)) + own,
        "y": z @ draw.normal(size=(5, 6)) + draw.normal(size=(N, 6)),
        "more": own @ draw.normal(size=(8, 6)) + 0.5 * draw.normal(size=(N, 6)),
        "z": z,
    }
    for side, vectors in made.items():
        client.create_space(f"{name}-{side}", dim=vectors.shape[1])
        client.upsert(f"{name}-{side}", [f"i{row:02d}" for row in range(N)], vectors)
    return {side: (f"{name}-{side}", np.float32(vectors)) for side, vectors in made.items()}


@pytest.mark.parametrize("metric", ["mutual_knn", "cka", "cknna"])
def test_what_the_third_explains_is_left_out(client, spaces, metric):
    (x, left), (y, right), (more, other), (z, given) = spaces.values()
    plain = client.align(x, y, k=5, metric=metric, permutations=199)
    partial = client.align(x, y, k=5, metric=metric, given=z, permutations=199, controls={more: "y"})
    assert plain.p_value <= 0.01
    assert abs(partial.excess) < 0.2 * plain.excess  # that it keeps the level is `test_beyond_a_third_space.py`'s
    told = partial.given
    assert (told.space.name, told.rank, told.items, partial.n) == (z, 5, N, N - 6)
    found = beyond([left, right, other], given)
    assert (told.explained_x, told.explained_y) == pytest.approx(tuple(found.explained[:2]), rel=1e-6)
    residuals = [np.float32(each) for each in found.residuals]
    by_hand = consilience.align_arrays(residuals[0], residuals[1], k=5, metric=metric, permutations=0)
    assert partial.score == pytest.approx(by_hand.score, rel=1e-5)
    control = consilience.align_arrays(residuals[0], residuals[2], k=5, metric=metric, permutations=0)
    assert partial.controls[more].score == pytest.approx(control.score, rel=1e-5)
    assert partial.controls[more].p_value <= 0.01
    assert (partial.x.name, partial.x.uid) == (plain.x.name, plain.x.uid)
    assert f"beyond {z}" in repr(partial)
    assert "Theil" in partial.cite()
    assert plain.given is None


def test_preprocessing_comes_first(client, spaces):
    (x, left), (y, right), _, (z, given) = spaces.values()
    partial = client.align(x, y, k=5, given=z, preprocess="unit", permutations=0)
    units = [side / np.linalg.norm(side, axis=1, keepdims=True) for side in (left, right, given)]
    residuals = [np.float32(each) for each in beyond(units[:2], units[2]).residuals]
    assert partial.score == pytest.approx(consilience.align_arrays(*residuals, k=5, permutations=0).score, rel=1e-5)
    assert partial.preprocess == "unit"


def test_what_cannot_be_asked_beyond_a_space_is_refused(client, spaces, name):
    (x, left), (y, _), _, (z, _) = spaces.values()
    client.create_space(f"{name}-wide", dim=66)
    client.upsert(f"{name}-wide", [f"i{row:02d}" for row in range(N)], np.random.default_rng(2).normal(size=(N, 66)))
    client.create_space(f"{name}-copy", dim=8)
    client.upsert(f"{name}-copy", [f"i{row:02d}" for row in range(N)], left * 2)
    for given, told, field in (
        (f"{name}-wide", "spans 66 dimensions, which leaves 3 degrees of freedom of 70 items", "given"),
        (f"{name}-copy", "explains all of x", "x"),
        (x, "is a side of this alignment", "given"),
    ):
        with pytest.raises(consilience.InvalidArgumentError, match=told) as refused:
            client.align(x, y, k=5, given=given)
        assert refused.value.field == field
    for option in ({"within": "label"}, {"sample_queries": 5}):
        with pytest.raises(consilience.UnimplementedError, match="beyond a given space"):
            client.align(x, y, k=5, given=z, **option)
    with pytest.raises(consilience.NotFoundError) as missing:
        client.align(x, y, k=5, given=f"{name}-nobody")
    assert missing.value.field == "given"


def test_arrays_are_aligned_beyond_an_array(client, spaces):
    (x, left), (y, right), (more, other), (z, given) = spaces.values()
    asked = {"k": 5, "metric": "cka", "permutations": 99}
    served, local = (
        caller(left, right, given=given, controls={"more": (other, "y")}, **asked)
        for caller in (client.align_arrays, consilience.align_arrays)
    )
    assert served.by_k == local.by_k
    assert served.given.rank == 5
    stored = client.align(x, y, given=z, controls={more: "y"}, **asked)
    # Rows come in another order, so that residuals are of other items; what they add up to is the same.
    assert served.score == pytest.approx(stored.score, abs=0.05)
    assert (served.n, served.given.explained_x) == (stored.n, pytest.approx(stored.given.explained_x))
    assert served.controls["more"].p_value == 0.01
    rho = np.random.default_rng(0).permutation(N)
    moved = client.align_arrays(left[rho], right[rho], given=given[rho], controls={"more": (other[rho], "y")}, **asked)
    assert moved.score == pytest.approx(served.score, rel=1e-6)
    with pytest.raises(consilience.UnimplementedError, match="beyond a given array"):
        client.align_arrays(left, right, k=5, given=given, within=["a", "b"] * 35)
    with pytest.raises(consilience.InvalidArgumentError, match="69 rows"):
        client.align_arrays(left, right, k=5, given=given[:69])


def test_a_sample_of_what_is_left_is_told_by_the_rows_that_were_given(client, spaces):
    (_, left), (_, right), _, (_, given) = spaces.values()
    asked = {"metric": "rsa", "permutations": 0, "sample_items": 30}
    report = client.align_arrays(left, right, given=given, **asked)
    rho = np.random.default_rng(0).permutation(N)
    moved = client.align_arrays(left[rho], right[rho], given=given[rho], **asked)
    assert len(report.sampled_items.rows) == 30
    assert sorted(rho[list(moved.sampled_items.rows)]) == list(report.sampled_items.rows)
    assert moved.score == pytest.approx(report.score, rel=1e-5)
