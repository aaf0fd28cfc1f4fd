import hashlib

import numpy as np
import pytest

from consilience_server.bridges import apply
from consilience_server.bridges.apply import centre_gallery, make_ready, map_vectors
from consilience_server.bridges.closed_form import BridgeMap
from consilience_server.core import errors
from consilience_server.core.centring import centred
from consilience_server.core.control import Control
from consilience_server.core.exact_product import cut, exact_product

CONTROL = Control()


def bridge(source=130, target=70, seed=0):
    rng = np.random.default_rng(seed)
    return BridgeMap(rng.standard_normal((source, target)), 0.05 * rng.standard_normal(source), 0.05 * rng.standard_normal(target))


@pytest.fixture
def vectors():
    return np.random.default_rng(1).standard_normal((300, 130)).astype(np.float32)


def plain(rows, mean):
    rows = rows.astype(np.float64)
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True) - mean
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_it_is_the_formula(vectors):
    fitted = bridge()
    mapped = plain(vectors, fitted.source_mean) @ fitted.weights
    mapped /= np.linalg.norm(mapped, axis=1, keepdims=True)
    got = map_vectors(make_ready(fitted), vectors, CONTROL)
    assert got.dtype == np.float32
    # One rounding to float32 of entries below 1.
    assert np.abs(got - mapped).max() < 2.0**-24 * 1.01
    target = vectors[:, :70]
    assert np.abs(centre_gallery(make_ready(fitted), target, CONTROL) - plain(target, fitted.target_mean)).max() < 2.0**-24 * 1.01


def test_blocks_do_not_matter(vectors, monkeypatch):
    ready = make_ready(bridge())
    mapped, gallery = map_vectors(ready, vectors, CONTROL), centre_gallery(ready, vectors[:, :70], CONTROL)
    for rows in (1, 7, 64):
        monkeypatch.setattr(apply, "_BLOCK_ROWS", rows)
        assert np.array_equal(map_vectors(ready, vectors, CONTROL), mapped)
        assert np.array_equal(centre_gallery(ready, vectors[:, :70], CONTROL), gallery)


def test_the_order_of_the_source_dimensions_does_not_reach_the_product(vectors):
    """Stands in for another BLAS, kernel or number of threads: any of them only adds in another order."""
    fitted = bridge()
    directions = centred(vectors, fitted.source_mean)
    expected = exact_product(cut(directions, inner_axis=1), cut(fitted.weights, inner_axis=0))
    order = np.random.default_rng(2).permutation(130)
    shuffled = exact_product(
        cut(np.ascontiguousarray(directions[:, order]), inner_axis=1),
        cut(np.ascontiguousarray(fitted.weights[order]), inner_axis=0),
    )
    assert np.array_equal(shuffled, expected)


def test_the_bits_are_the_same_on_every_machine():
    # No randomness and no transcendental function: the input is the same everywhere.
    vectors = ((np.arange(40 * 130) * 7919 % 1009) / 1009 - 0.5).astype(np.float32).reshape(40, 130)
    weights = ((np.arange(130 * 70) * 6007 % 1013) / 1013 - 0.5).reshape(130, 70)
    fitted = BridgeMap(weights, np.full(130, 2.0**-6), np.full(70, -(2.0**-7)))
    mapped = map_vectors(make_ready(fitted), vectors, CONTROL)
    gallery = centre_gallery(make_ready(fitted), vectors[:, :70].copy(), CONTROL)
    digests = [hashlib.blake2b(array.astype("<f4").tobytes(), digest_size=8).hexdigest() for array in (mapped, gallery)]
    assert digests == ["e4f2779ec1853bbd", "a1af534ed7bc1dda"]


@pytest.mark.parametrize("named", [False, True])
def test_rows_without_a_direction_are_named(vectors, named):
    fitted = bridge()
    vectors[5] = fitted.source_mean / np.linalg.norm(fitted.source_mean)
    fitted = BridgeMap(fitted.weights, vectors[5].astype(np.float64), fitted.target_mean)
    ids = np.array([f"item-{i}" for i in range(300)], dtype=object) if named else None
    with pytest.raises(errors.ZeroVector, match="'item-5'" if named else "1 rows .*: 5;"):
        map_vectors(make_ready(fitted), vectors, CONTROL, ids)


def test_a_vector_that_the_weights_send_to_nothing_is_refused():
    fitted = BridgeMap(np.array([[1.0], [0.0]]), np.zeros(2), np.zeros(1))
    with pytest.raises(errors.ZeroVector):
        map_vectors(make_ready(fitted), np.array([[0.0, 1.0]], dtype=np.float32), CONTROL)


def test_identity_keeps_directions(vectors):
    fitted = BridgeMap(np.eye(130), np.zeros(130), np.zeros(130))
    got = map_vectors(make_ready(fitted), vectors, CONTROL)
    assert np.abs(got - centre_gallery(make_ready(fitted), vectors, CONTROL)).max() < 2.0**-24


def test_it_stops_when_nobody_waits(vectors):
    control = Control()
    control.cancel()
    for function, width in ((map_vectors, 130), (centre_gallery, 70)):
        with pytest.raises(errors.Cancelled):
            function(make_ready(bridge()), vectors[:, :width], control)
