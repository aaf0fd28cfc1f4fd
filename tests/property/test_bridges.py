"""What holds of every bridge, whatever the data."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from consilience_server.bridges.apply import centre_gallery, make_ready, map_vectors
from consilience_server.bridges.closed_form import BridgeMap
from consilience_server.bridges.fit import fit_map
from consilience_server.bridges.held_out import split_pairs
from consilience_server.core.control import Control
from consilience_server.core.csls import csls
from consilience_server.core.exact_product import cut, exact_product
from consilience_server.core.mutual_pairs import mutual_pairs
from consilience_server.core.procrustes import procrustes
from consilience_server.core.ridge import ridge_path

CONTROL = Control()
SEEDS = st.integers(0, 2**32 - 1)
WIDTHS = st.integers(1, 12)


def clouds(seed, *shapes):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape) for shape in shapes]


@given(seed=SEEDS, n=st.integers(1, 30), width_x=WIDTHS, width_y=WIDTHS)
def test_procrustes_is_semi_orthogonal_and_undone_by_its_transpose(seed, n, width_x, width_y):
    x, y = clouds(seed, (n, width_x), (n, width_y))
    weights = procrustes(x, y)
    gram = weights @ weights.T if width_x <= width_y else weights.T @ weights
    assert np.allclose(gram, np.eye(min(width_x, width_y)), atol=1e-10)
    assert np.allclose(procrustes(y, x), weights.T, atol=1e-6) or n < min(width_x, width_y)


@given(seed=SEEDS, n=st.integers(13, 40), width=st.integers(2, 8))
def test_procrustes_keeps_cosines(seed, n, width):
    x, y = clouds(seed, (n, width), (n, width))
    mapped = x @ procrustes(x, y)
    assert np.allclose(mapped @ mapped.T, x @ x.T, atol=1e-9)


@given(seed=SEEDS, width=st.integers(2, 8), penalty=st.sampled_from([0.01, 0.1, 1.0]))
def test_ridge_does_not_see_a_rotation_of_the_source(seed, width, penalty):
    x, y, g = clouds(seed, (40, width), (40, 5), (width, width))
    rotation = np.linalg.qr(g)[0]
    assert np.allclose(x @ rotation @ ridge_path(x @ rotation, y).weights(penalty), x @ ridge_path(x, y).weights(penalty), atol=1e-8)


@given(seed=SEEDS, m=st.integers(1, 9), inner=st.integers(1, 200), n=st.integers(1, 9), exponents=st.integers(0, 20))
def test_a_product_has_one_value_in_any_order(seed, m, inner, n, exponents):
    a, b = clouds(seed, (m, inner), (inner, n))
    a *= np.exp2(np.random.default_rng(seed).integers(-exponents, exponents + 1, (m, inner)))
    order = np.random.default_rng(seed).permutation(inner)
    straight = exact_product(cut(a, inner_axis=1), cut(b, inner_axis=0))
    shuffled = exact_product(cut(a[:, order], inner_axis=1), cut(b[order], inner_axis=0))
    assert np.array_equal(straight, shuffled)


@settings(deadline=None)
@given(seed=SEEDS, width_x=WIDTHS, width_y=WIDTHS, block=st.integers(1, 40))
def test_mapped_rows_are_unit_and_free_of_their_batch(seed, width_x, width_y, block):
    weights, source_mean, target_mean = clouds(seed, (width_x, width_y), width_x, width_y)
    ready = make_ready(BridgeMap(weights, source_mean / (2 * width_x + 2), target_mean / (2 * width_y + 2)))
    rows = np.random.default_rng(seed + 1).standard_normal((40, width_x)).astype(np.float32)
    mapped = map_vectors(ready, rows, CONTROL)
    assert np.allclose(np.linalg.norm(mapped.astype(np.float64), axis=1), 1.0, atol=1e-6)
    assert np.array_equal(np.vstack([map_vectors(ready, rows[i : i + block], CONTROL) for i in range(0, 40, block)]), mapped)
    # A direction has no length.
    assert np.array_equal(map_vectors(ready, rows * np.float32(0.5), CONTROL), mapped)


@settings(deadline=None, max_examples=30)
@given(seed=SEEDS, method=st.sampled_from(["mean_shift", "procrustes", "ridge"]))
def test_a_fit_does_not_see_the_lengths_of_vectors(seed, method):
    x, y = (side.astype(np.float32) for side in clouds(seed, (30, 6), (30, 6)))
    lengths = np.exp2(np.random.default_rng(seed).integers(-5, 6, (30, 1))).astype(np.float32)
    first, _ = fit_map(method, x, y, (0.1,), CONTROL)
    second, _ = fit_map(method, x * lengths, y / lengths, (0.1,), CONTROL)
    assert np.array_equal(first.weights, second.weights)
    gallery = centre_gallery(make_ready(first), y, CONTROL)
    assert np.array_equal(gallery, centre_gallery(make_ready(second), y * lengths, CONTROL))


@given(seed=SEEDS, m=st.integers(2, 12), n=st.integers(2, 12), k=st.integers(1, 2), shift=st.sampled_from([-2.0, 0.5, 8.0]))
def test_csls_does_not_see_a_constant_and_mirrors_with_its_sides(seed, m, n, k, shift):
    (s,) = clouds(seed, (m, n))
    assert np.allclose(csls(s + shift, k), csls(s, k), atol=1e-12)
    assert np.allclose(csls(s.T, k), csls(s, k).T, atol=1e-12)


@given(seed=SEEDS, m=st.integers(1, 12), n=st.integers(1, 12))
def test_mutual_pairs_are_one_to_one_and_the_same_from_both_sides(seed, m, n):
    (s,) = clouds(seed, (m, n))
    forward, backward = s.argmax(axis=1), s.argmax(axis=0)
    rows = mutual_pairs(forward, backward)
    assert len(set(forward[rows])) == len(rows) >= 1
    columns = mutual_pairs(backward, forward)
    assert {(i, forward[i]) for i in rows} == {(backward[j], j) for j in columns}


@given(seed=SEEDS, ids=st.lists(st.text(min_size=1), min_size=2, unique=True), fraction=st.floats(0.01, 0.9))
def test_a_split_is_of_names_not_of_rows(seed, ids, fraction):
    shuffled = [ids[i] for i in np.random.default_rng(seed).permutation(len(ids))]
    first, second = split_pairs(ids, fraction, seed), split_pairs(shuffled, fraction, seed)
    assert [ids[row] for row in first.held_out] == [shuffled[row] for row in second.held_out]
    assert sorted([*first.fit, *first.held_out]) == list(range(len(ids)))
