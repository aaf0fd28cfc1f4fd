from dataclasses import dataclass

import numpy as np
import pytest

from consilience_server.bridges.apply import centre_gallery, make_ready, map_vectors
from consilience_server.bridges.chain import ChainMap
from consilience_server.bridges.closed_form import BridgeMap
from consilience_server.bridges.compose import compose
from consilience_server.bridges.fit import fit_map
from consilience_server.bridges.invert import MOST_CONDITION, invert
from consilience_server.core.centring import uncentred
from consilience_server.core.control import Control
from consilience_server.core.errors import DimensionMismatch, InvalidArgument

RNG = np.random.default_rng(8)
X = RNG.standard_normal((300, 10)).astype(np.float32) + 0.5
# As good as linear, so that every learned map is far from singular.
Y = {
    width: (X @ np.linalg.qr(RNG.standard_normal((width, 10)))[0].T + 0.05 * RNG.standard_normal((300, width)) + 1).astype(np.float32)
    for width in (10, 14)
}
CONTROL = Control()


def fitted(method, width):
    return fit_map(method, X, Y[width], [0.001], CONTROL)[0]


def target_rows(bridge, mapped):
    """Mapped vectors where they stand in the target space itself."""
    return uncentred(mapped.astype(np.float64), bridge.target_mean).astype(np.float32)


@pytest.mark.parametrize("width", [10, 14])
@pytest.mark.parametrize("method", ["identity", "mean_shift", "procrustes", "scaled_procrustes", "ridge"])
def test_the_way_back_ends_where_the_way_there_began(method, width):
    bridge = fitted(method, width)
    back = invert(bridge)
    mapped = map_vectors(make_ready(bridge), X, CONTROL)
    returned = map_vectors(make_ready(back), target_rows(bridge, mapped), CONTROL)
    # The gallery of the way back is the centred source space.
    np.testing.assert_allclose(returned, centre_gallery(make_ready(back), X, CONTROL), atol=1e-5)
    assert (len(back.source_mean), len(back.target_mean)) == (width, 10)


def test_a_rotation_is_inverted_by_its_transpose_and_twice_is_itself():
    bridge = fitted("procrustes", 10)
    assert np.array_equal(invert(bridge).weights, bridge.weights.T)
    again = invert(invert(bridge))
    assert all(np.array_equal(one, other) for one, other in zip(again.tensors().values(), bridge.tensors().values(), strict=True))


@pytest.mark.parametrize("method", ["relative", "whitened", "cca", "csa"])
def test_where_both_sides_meet_in_a_space_of_their_own_every_cosine_stays(method):
    bridge = fitted(method, 14)
    there, back = make_ready(bridge), make_ready(invert(bridge))
    cosines = map_vectors(there, X, CONTROL) @ centre_gallery(there, Y[14], CONTROL).T
    np.testing.assert_allclose(map_vectors(back, Y[14], CONTROL) @ centre_gallery(back, X, CONTROL).T, cosines.T, atol=1e-6)


def test_a_chain_is_inverted_from_its_end():
    chain = ChainMap((fitted("procrustes", 10), fit_map("ridge", Y[10], Y[14], [0.001], CONTROL)[0]))
    mapped = map_vectors(make_ready(chain), X, CONTROL)
    back = invert(chain)
    returned = map_vectors(make_ready(back), target_rows(chain, mapped), CONTROL)
    np.testing.assert_allclose(returned, centre_gallery(make_ready(back), X, CONTROL), atol=1e-5)


def test_what_is_lost_is_not_brought_back():
    with pytest.raises(DimensionMismatch, match="from 14 dimensions into 10, so 4 are lost"):
        invert(fit_map("procrustes", Y[14], X, [0.001], CONTROL)[0])


@pytest.mark.parametrize(("ratio", "refused"), [(0.9 * MOST_CONDITION, False), (1.1 * MOST_CONDITION, True), (np.inf, True)])
def test_an_ill_conditioned_matrix_is_refused(ratio, refused):
    rotations = [np.linalg.qr(RNG.standard_normal((5, 5)))[0] for _ in range(2)]
    weights = rotations[0] @ np.diag([1.0, 1.0, 1.0, 1.0, 1 / ratio]) @ rotations[1]
    bridge = BridgeMap(weights, np.zeros(5), np.zeros(5))
    if refused:
        with pytest.raises(InvalidArgument, match="condition number"):
            invert(bridge)
    else:
        np.testing.assert_allclose(invert(bridge).weights, np.linalg.inv(weights), rtol=1e-9)


def test_a_map_of_low_rank_has_no_way_back():
    with pytest.raises(InvalidArgument, match="condition number"):
        invert(BridgeMap(np.outer(np.ones(4), np.arange(1.0, 5.0)), np.zeros(4), np.zeros(4)))


def test_maps_that_are_not_linear_have_none():
    @dataclass
    class Other:
        kind = "other"

    with pytest.raises(InvalidArgument, match="not linear"):
        invert(Other())
    with pytest.raises(InvalidArgument, match="space of their own"):
        invert(ChainMap((fitted("ridge", 10), fit_map("csa", Y[10], Y[14], [0.001], CONTROL)[0])))


def test_chains_are_taken_apart_when_composed():
    one, two = fitted("procrustes", 10), fit_map("ridge", Y[10], Y[14], [0.001], CONTROL)[0]
    three = invert(two)
    assert compose([compose([one, two]), three]).parts == (one, two, three)
