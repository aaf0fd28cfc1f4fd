from datetime import UTC, datetime

import numpy as np
import pytest

from consilience.v1 import bridge_pb2
from consilience.v1.space_pb2 import SIMILARITY_INNER_PRODUCT, SpaceRef
from consilience_server.app.alignment_spec import SpaceQuery
from consilience_server.app.fit_query import FitQuery
from consilience_server.bridges.artefact import BridgeArtefact, RetrievalReport
from consilience_server.bridges.closed_form import BridgeMap
from consilience_server.core.errors import InvalidName, UnknownMethod
from consilience_server.core.estimate import Estimate
from consilience_server.core.similarity import Similarity
from consilience_server.rpc.convert.bridge import METHODS, read_fit, write_bridge

REFS = dict(source=SpaceRef(name="spaces/a"), target=SpaceRef(name="spaces/b", version=2))


def request(**fields):
    return bridge_pb2.FitBridgeRequest(**(dict(bridge_id="a-to-b", method=bridge_pb2.BRIDGE_METHOD_AUTO, **REFS) | fields))


def test_zeros_become_the_defaults_of_the_contract():
    assert read_fit(request()) == FitQuery("a-to-b", SpaceQuery("a"), SpaceQuery("b", 2))


def test_given_values_pass():
    query = read_fit(
        request(
            method=bridge_pb2.BRIDGE_METHOD_RIDGE, pairs=bridge_pb2.PairSelection(item_ids=["x"], target_ids=["y"]), held_out_fraction=0.5,
            seed=7, request_id="r", penalties=[0.1, 1.0],
        )
    )  # fmt: skip
    assert query == FitQuery("a-to-b", SpaceQuery("a"), SpaceQuery("b", 2), "ridge", ("x",), ("y",), 0.5, 7, (0.1, 1.0), "r")


def test_an_attribute_that_joins_pairs_passes():
    assert read_fit(request(pairs=bridge_pb2.PairSelection(attribute="group_id"))).attribute == "group_id"


@pytest.mark.parametrize("value", [0, 99])
def test_unknown_methods(value):
    with pytest.raises(UnknownMethod, match=r"served are auto, identity, .*ridge"):
        read_fit(request(method=value))


def test_every_method_of_the_contract_that_can_be_fitted_is_served():
    assert set(bridge_pb2.BridgeMethod.values()) - set(METHODS) == {0, bridge_pb2.BRIDGE_METHOD_COMPOSED}


def test_what_is_made_of_others_is_not_fitted():
    with pytest.raises(UnknownMethod, match="compose them"):
        read_fit(request(method=bridge_pb2.BRIDGE_METHOD_COMPOSED))


def test_other_refusals():
    with pytest.raises(InvalidName) as caught:
        read_fit(request(source=SpaceRef(name="a")))
    assert caught.value.field == "source.name"


def test_an_artefact_keeps_every_field_but_the_map():
    report = RetrievalReport(
        "ridge",
        {10: 0.9, 1: 0.5},
        {1: (0.4, 0.6), 10: (0.8, 1.0)},
        0.7,
        1.5,
        20,
        100,
        0.25,
        8,
        foscttm=Estimate(0.1, 0.05, 0.2),
        rank=Estimate(1.5, 1, 3),
    )
    made = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
    artefact = BridgeArtefact(
        name="a-to-b", uid="w", method="ridge", map=BridgeMap(np.zeros((3, 4)), np.zeros(3), np.zeros(4)), source_name="a", source_uid="u",
        source_version=1, target_name="b", target_uid="v", target_version=2, target_similarity=Similarity.INNER_PRODUCT, fit_pairs=80,
        fit_ids_digest="ff", held_out=report, candidates=(report, report), seed=2**64 - 1, code_version="1.2", create_time=made,
    )  # fmt: skip
    bridge = write_bridge(artefact)
    assert (bridge.name, bridge.uid, bridge.version, bridge.method) == ("bridges/a-to-b", "w", 3, bridge_pb2.BRIDGE_METHOD_RIDGE)
    assert (bridge.source.name, bridge.source.uid, bridge.source.version) == ("spaces/a", "u", 1)
    assert (bridge.target.name, bridge.target.uid, bridge.target.version) == ("spaces/b", "v", 2)
    assert (bridge.source_dim, bridge.target_dim, bridge.fit_pairs, bridge.fit_ids_digest) == (3, 4, 80, "ff")
    assert (bridge.seed, bridge.code_version, bridge.target_similarity) == (2**64 - 1, "1.2", SIMILARITY_INNER_PRODUCT)
    assert bridge.create_time.ToDatetime(UTC) == made
    assert len(bridge.candidates) == 2
    held = bridge.held_out
    assert (held.foscttm.value, held.foscttm.interval.low, held.foscttm.interval.high) == (0.1, 0.05, 0.2)
    assert (held.median_rank_interval.low, held.median_rank_interval.high) == (1, 3)
    assert not held.HasField("hubness")
    assert (bridge.near_copies, bridge.split_by, bridge.leads_into_target) == (0, "", True)
    assert [(entry.k, entry.recall, entry.interval.low, entry.interval.high) for entry in held.recalls] == [
        (1, 0.5, 0.4, 0.6),
        (10, 0.9, 0.8, 1.0),
    ]
    assert (held.mean_reciprocal_rank, held.median_rank, held.queries, held.gallery, held.penalty, held.components) == (
        0.7, 1.5, 20, 100, 0.25, 8,
    )  # fmt: skip
