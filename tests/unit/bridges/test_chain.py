import numpy as np

from consilience_server.bridges.apply import make_ready, map_vectors
from consilience_server.bridges.chain import ChainMap
from consilience_server.bridges.closed_form import BridgeMap
from consilience_server.core.centring import centred, uncentred, unit
from consilience_server.core.control import Control

RNG = np.random.default_rng(3)
FIRST = BridgeMap(RNG.standard_normal((8, 6)), 0.1 * RNG.standard_normal(8), 0.1 * RNG.standard_normal(6))
LAST = BridgeMap(RNG.standard_normal((6, 5)), 0.1 * RNG.standard_normal(6), 0.1 * RNG.standard_normal(5))
X = RNG.standard_normal((40, 8)).astype(np.float32)


def test_where_a_row_stands_is_found_again():
    rows = unit(RNG.standard_normal((50, 7)))
    for length in (0.0, 0.5, 0.999):
        mean = length * unit(RNG.standard_normal((1, 7)))[0]
        back = uncentred(centred(rows, mean), mean)
        np.testing.assert_allclose(back, rows, atol=1e-12)
        np.testing.assert_allclose(np.linalg.norm(back, axis=1), 1.0, atol=1e-12)


def test_what_has_no_direction_stands_nowhere():
    assert not uncentred(np.zeros((1, 3)), np.array([0.5, 0.0, 0.0])).any()


def test_a_chain_is_one_map_after_the_other():
    landed = map_vectors(make_ready(FIRST), X, Control())
    # By a textbook's quadratic: |m + s c| = 1, s > 0.
    m = FIRST.target_mean
    between = np.stack([m + max(np.roots([c @ c, 2 * (m @ c), m @ m - 1]).real) * c for c in landed.astype(np.float64)])
    expected = map_vectors(make_ready(LAST), between.astype(np.float32), Control())
    chain = ChainMap((FIRST, LAST))
    np.testing.assert_allclose(map_vectors(make_ready(chain), X, Control()), expected, atol=1e-6)
    gallery = RNG.standard_normal((9, 5)).astype(np.float32)
    assert np.array_equal(make_ready(chain).centre_block(gallery), make_ready(LAST).centre_block(gallery))
    assert (make_ready(chain).source_dim, make_ready(chain).target_dim, chain.width) == (8, 5, 5)
