"""`controls`: spaces without understanding, beside the score, over a server and in-process alike."""

import numpy as np
import pytest

import consilience

N = 80


@pytest.fixture
def spaces(client, name):
    """x and y share a latent; `pixels` sees a little of it, `noise` nothing; each has its own extra items."""
    draw = np.random.default_rng(1)
    latent = draw.normal(size=(N + 4, 4))
    made = {}
    for number, (side, noise) in enumerate((("x", 0.5), ("y", 0.5), ("pixels", 2.0), ("noise", 1e6))):
        vectors = (latent @ draw.normal(size=(4, 8)) + noise * draw.normal(size=(N + 4, 8))).astype(np.float32)
        rows = [row for row in range(N + 4) if row < N or row == N + number]
        client.create_space(f"{name}-{side}", dim=8)
        client.upsert(f"{name}-{side}", [f"i{row:03d}" for row in rows], vectors[rows])
        made[side] = f"{name}-{side}", vectors[:N]
    return made


@pytest.mark.parametrize("metric", ["mutual_knn", "unbiased_cka"])
def test_each_control_is_scored_with_y_in_the_place_of_x(client, spaces, metric):
    (x, _), (y, _), (pixels, _), (noise, _) = spaces.values()
    report = client.align(x, y, k=[5, 9], metric=metric, controls=[pixels, noise], permutations=99)
    plain = client.align(x, y, k=[5, 9], metric=metric, permutations=99)
    assert list(report.controls) == [pixels, noise]
    assert (report.n, report.dropped_x, report.by_k) == (N, 1, plain.by_k)
    alone = client.align(pixels, y, k=[5, 9], metric=metric, permutations=99)
    control = report.controls[pixels]
    assert (control.by_k, control.in_place_of, control.dropped, control.space.name) == (alone.by_k, "x", 1, pixels)
    assert (control.score, control.chance, control.p_value) == (alone.score, alone.chance, alone.p_value)
    for k, entry in report.by_k.items():
        difference = control.differences[k]
        assert difference.value == pytest.approx(entry.score - alone.by_k[k].score)
        assert difference.interval.low < difference.value < difference.interval.high
    assert control.difference.interval.low > 0
    assert report.excess_over_controls == pytest.approx((report.score - control.score) / (1 - control.score))
    assert report.controls[noise].p_value > 0.01
    first, second, third = repr(report).splitlines()[:3]
    assert first.startswith(metric)
    assert second.startswith(f"control {pixels} for x = ")
    assert third.startswith(f"control {noise} for x = ")
    assert report.to_dict()["controls"][pixels]["in_place_of"] == "x"


def test_a_mapping_says_whose_place_a_control_takes(client, spaces):
    (x, _), (y, _), (pixels, _), (noise, _) = spaces.values()
    report = client.align(x, y, k=5, metric="cycle_knn", controls={pixels: "y", noise: "x"}, permutations=19)
    assert report.controls[pixels].by_k == client.align(x, pixels, k=5, metric="cycle_knn", permutations=19).by_k
    assert report.controls[noise].by_k == client.align(noise, y, k=5, metric="cycle_knn", permutations=19).by_k


def test_nothing_is_said_of_controls_where_none_were_asked(client, spaces):
    report = client.align(spaces["x"][0], spaces["y"][0], k=5, permutations=19)
    assert (dict(report.controls), report.excess_over_controls) == ({}, None)


def test_controls_that_cannot_be_are_refused(client, spaces, name):
    (x, _), (y, _), (pixels, _), _ = spaces.values()
    for controls, told in (([x], "is a side of this alignment"), ([pixels, pixels], "stands twice"), ([pixels] * 33, "at most 32")):
        with pytest.raises(consilience.InvalidArgumentError, match=told) as refused:
            client.align(x, y, k=5, controls=controls)
        assert "controls" in refused.value.field
    with pytest.raises(consilience.NotFoundError) as missing:
        client.align(x, y, k=5, controls=[f"{name}-nobody"])
    assert missing.value.field == "controls[0].space"
    for controls, told in ((pixels, "a list of spaces"), ({pixels: "z"}, "side is 'z'; it is one of x, y")):
        with pytest.raises(consilience.InvalidArgumentError, match=told):
            client.align(x, y, k=5, controls=controls)


def test_arrays_have_controls_too(client, spaces):
    (x, left), (y, right), (pixels, third), (noise, fourth) = spaces.values()
    controls = {"pixels": third, "noise": (fourth, "y")}
    given = {"k": 5, "metric": "cycle_knn", "permutations": 19}
    served, local = (caller(left, right, controls=controls, **given) for caller in (client.align_arrays, consilience.align_arrays))
    assert {name: control.by_k for name, control in served.controls.items()} == {name: c.by_k for name, c in local.controls.items()}
    stored = client.align(x, y, controls={pixels: "x", noise: "y"}, **given)
    for name, control in (("pixels", pixels), ("noise", noise)):
        assert served.controls[name].score == pytest.approx(stored.controls[control].score)
        assert served.controls[name].in_place_of == stored.controls[control].in_place_of
    assert repr(served).splitlines()[1].startswith("control pixels for x = ")
    other = client.align_arrays(left, right, controls={"pixels": fourth}, **given)
    assert other.controls["pixels"].score != served.controls["pixels"].score  # the name is no identity
    rho = np.random.default_rng(0).permutation(N)
    moved = {name: (value[0][rho], value[1]) if isinstance(value, tuple) else value[rho] for name, value in controls.items()}
    again = client.align_arrays(left[rho], right[rho], controls=moved, **given)
    assert {name: control.by_k for name, control in again.controls.items()} == {name: c.by_k for name, c in local.controls.items()}


@pytest.mark.parametrize(
    ("controls", "told"),
    [
        ({"pixels": np.ones((N - 1, 2))}, "has 79 rows, x has 80"),
        ({"pixels": (np.ones((N, 2)), "z")}, "side is 'z'"),
        ([np.ones((N, 2))], "a mapping from a name"),
        ({"pixels": np.full((N, 2), np.nan)}, "not finite|NaN"),
        ({3: np.ones((N, 2))}, "give a string"),
    ],
)
def test_arrays_that_are_no_controls_are_refused(client, spaces, controls, told):
    left, right = spaces["x"][1], spaces["y"][1]
    for caller in (client.align_arrays, consilience.align_arrays):
        with pytest.raises(consilience.InvalidArgumentError, match=told):
            caller(left, right, k=5, controls=controls)
