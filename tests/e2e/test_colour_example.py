"""The colour example, on the two photographs that scikit-learn bundles."""

import sys
from pathlib import Path

import numpy as np
import pytest

EXAMPLE = Path(__file__).resolve().parents[2] / "client" / "examples" / "colour"


@pytest.fixture
def example(monkeypatch):
    """Its modules, as the demo imports them."""
    monkeypatch.syspath_prepend(str(EXAMPLE))
    names = ("cielab", "demo", "figures", "photographs", "scaling")
    for name in names:
        sys.modules.pop(name, None)
    yield __import__
    for name in names:
        sys.modules.pop(name, None)


def test_cielab_is_that_of_the_standard(example):
    """White, black, and the primaries of sRGB: Lindbloom's calculator."""
    rgb = [[255, 255, 255], [0, 0, 0], [255, 0, 0], [0, 255, 0], [0, 0, 255], [119, 119, 119]]
    lab = [[100, 0, 0], [0, 0, 0], [53.24, 80.09, 67.20], [87.73, -86.18, 83.18], [32.30, 79.19, -107.86], [50.03, 0, 0]]
    np.testing.assert_allclose(example("cielab").to_cielab(rgb), lab, atol=0.02)


def test_points_come_back_from_their_distances(example):
    scaling = example("scaling")
    from scipy.spatial.distance import pdist, squareform

    random = np.random.default_rng(0)
    points = random.standard_normal((20, 3))
    found, stress = scaling.metric_mds(squareform(pdist(points)), starts=1)
    assert stress < 1e-6
    laid = scaling.overlay(found, points)
    np.testing.assert_allclose(laid.points, points, atol=1e-5)
    assert laid.explained == pytest.approx(1.0)
    mirrored = 2.5 * points * [1, 1, -1] + 7
    np.testing.assert_allclose(scaling.overlay(mirrored, points).points, points, atol=1e-12)
    assert scaling.overlay(random.standard_normal((20, 3)), points).explained < 0.5


def test_rare_colours_go_to_their_nearest(example):
    image = np.zeros((4, 4, 3), dtype=np.uint8)
    image[:2] = 250
    image[0, 0] = 215
    found = example("photographs").quantise([image], levels=8, least=2)
    assert found.ids == ["#000000", "#f6f6f6"]
    assert found.pixels.tolist() == [8, 8]
    assert found.images[0].tolist() == [[1] * 4] * 2 + [[0] * 4] * 2


def test_photographs_put_colours_where_people_see_them(example, tmp_path, capsys):
    """What stands beside what tells far more than which colours share a photograph, and that more than chance."""
    bundled = example("photographs").bundled_photographs()
    told = example("demo").run(tmp_path, {name: bundled[name][::2, ::2] for name in ("china.jpg", "flower.jpg")}, starts=1)
    assert told["score"] > 0.6
    assert told["control"] < told["score"] - 0.2
    assert told["chance"] == pytest.approx(10 / 99)
    assert told["rho"] > 0.6
    assert told["p"] == 0.001
    for name in ("colour.png", "colour.svg"):
        assert (tmp_path / name).stat().st_size > 20_000
    assert "mutual_knn@10 = " in capsys.readouterr().out
