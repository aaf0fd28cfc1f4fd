"""Bridges made of bridges, through both clients."""

import itertools

import numpy as np
import pytest
from support.filled_space import fill

import consilience
from consilience import FailedPreconditionError, InvalidArgumentError, NotFoundError, Operation
from consilience import _methods as methods
from consilience.v1 import bridge_algebra_pb2


@pytest.fixture
def chain(client, name):
    """Three spaces that are rotations of one another, and the bridges between them."""
    random = np.random.default_rng(2)
    x = random.standard_normal((100, 8), dtype=np.float32)
    spaces = []
    for letter in "abc":
        rotation = np.linalg.qr(random.standard_normal((8, 8)))[0]
        fill(client, f"{name}-{letter}", (x @ rotation).astype(np.float32))
        spaces.append(f"{name}-{letter}")
    bridges = [
        client.fit_bridge(source, target, name=f"{name}-{seed}", method="procrustes", seed=seed)
        for seed, (source, target) in enumerate(itertools.pairwise(spaces))
    ]
    return spaces, bridges


def test_a_to_b_and_b_to_c_make_a_to_c(client, name, chain):
    spaces, bridges = chain
    made = client.compose_bridges(bridges, name=f"{name}-a-to-c")
    assert (made.source.name, made.target.name, made.method, made.derivation) == (spaces[0], spaces[2], "composed", "composed")
    assert [parent.uid for parent in made.parents] == [bridge.uid for bridge in bridges]
    assert made.held_out.recalls[1].recall == 1.0
    assert 0 < made.held_out.queries < min(bridge.held_out.queries for bridge in bridges)
    assert client.get_bridge(made.name) == made
    ids = client.get_embeddings(spaces[0]).ids
    assert [row[0] for row in client.match(query_ids=ids, bridge=made.name, k=1).ids] == list(ids)
    assert client.evaluate_bridge(made).report.queries == made.held_out.queries


def test_the_way_back(client, name, chain):
    spaces, bridges = chain
    back = client.invert_bridge(bridges[0], name=f"{name}-back")
    assert (back.source.name, back.target.name, back.method, back.derivation) == (spaces[1], spaces[0], "procrustes", "inverted")
    assert back.held_out.recalls[1].recall == 1.0
    round_trip = client.compose_bridges([bridges[0], back], name=f"{name}-round")
    there = client.match(queries=client.get_embeddings(spaces[0]).vectors, bridge=round_trip.name, k=1)
    np.testing.assert_allclose(there.similarities, 1.0, atol=1e-6)
    assert client.export_bridge(round_trip)


def test_as_an_operation(client, name, chain):
    started = client.invert_bridge(chain[1][0], name=f"{name}-back", wait=False)
    assert isinstance(started, Operation)
    assert client.wait_operation(started).derivation == "inverted"


def test_bad_input(client, name, chain):
    _, bridges = chain
    with pytest.raises(FailedPreconditionError, match="must start where the one before it leads") as caught:
        client.compose_bridges(bridges[::-1], name=f"{name}-no")
    assert caught.value.reason == "WRONG_SPACE"
    with pytest.raises(InvalidArgumentError, match="one bridge; give a list"):
        client.compose_bridges(bridges[0], name=f"{name}-no")
    with pytest.raises(InvalidArgumentError, match="two to 16"):
        client.compose_bridges(bridges[:1], name=f"{name}-no")
    with pytest.raises(InvalidArgumentError) as refused:
        client.invert_bridge(bridges[0], name=chain[0][0])
    assert refused.value.reason == "INVALID_NAME"


def test_a_bridge_that_is_not_there_is_named_by_the_argument(client):
    for call in (client.get_bridge, client.evaluate_bridge, client.delete_bridge, client.export_bridge, client.download_bridge):
        with pytest.raises(NotFoundError) as missing:
            call("nobody")
        assert missing.value.field == "bridge"


def test_pairs_too_few_are_told_with_the_number_to_give(client, name, chain):
    spaces, _ = chain
    ids = client.get_embeddings(spaces[0]).ids[:5]
    with pytest.raises(InvalidArgumentError, match=r"of 5 known pairs 1 is held out, which leaves 4 .* give 13 pairs or more") as refused:
        client.fit_bridge(spaces[0], spaces[1], name=f"{name}-few", method="ridge", pair_ids=ids)
    assert (refused.value.reason, refused.value.field) == ("TOO_FEW_PAIRS", "pair_ids")


def test_bridges_of_bridges_are_measured_on_pairs_by_id(client, name):
    for method, request in (
        (methods.COMPOSE_BRIDGES, bridge_algebra_pb2.ComposeBridgesRequest(bridges=["bridges/a", "bridges/b"])),
        (methods.INVERT_BRIDGE, bridge_algebra_pb2.InvertBridgeRequest(bridge="bridges/a")),
    ):
        request.bridge_id = name
        request.pairs.attribute = "group_id"
        with pytest.raises(consilience.UnimplementedError, match="evaluate_bridge measures by an attribute"):
            client._call(method, request)
