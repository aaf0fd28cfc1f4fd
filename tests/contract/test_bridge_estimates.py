"""What a bridge would be worth, over a server and in-process."""

import numpy as np
import pytest
from support.filled_space import fill

import consilience
from consilience import _methods as methods
from consilience.commands.bridge_estimate import estimate
from consilience.v1 import bridge_estimate_pb2, bridge_pb2, space_pb2


@pytest.fixture
def pair(client, name):
    """Two noisy views of the same 400 items."""
    random = np.random.default_rng(0)
    latent = random.standard_normal((400, 12))
    return [
        fill(client, f"{name}-{side}", np.float32(latent @ random.standard_normal((12, 16)) + random.standard_normal((400, 16))))
        for side in "xy"
    ]


def test_what_is_foreseen_and_needed(client, pair):
    x, y = pair
    told = client.estimate_bridge(x.name, y.name, recall=0.5, k=10)
    fitted = client.fit_bridge(x.name, y.name, name=f"{x.name}-bridge", method=told.method)
    assert told.measured[-1].recalls == {k: fitted.held_out.recalls[k] for k in (1, 10)}
    assert (told.pairs, told.queries, told.gallery) == (400, 80, 400)
    assert (told.source, told.target) == (fitted.source, fitted.target)
    assert [point.pairs for point in told.measured] == [20, 40, 80, 160, 320]
    assert [point.pairs for point in told.foreseen] == [640, 1280, 2560, 5120]
    for point in told.foreseen:
        for found in point.recalls.values():
            assert 0.0 <= found.interval.low <= found.recall <= found.interval.high <= 1.0
    assert told.needed_pairs_interval[0] <= told.needed_pairs
    assert 0.0 < told.plateaus[1] <= 1.0
    assert told.alignment.mutual_knn > told.alignment.chance
    assert told.alignment.p_value == 1 / 200
    assert 0.0 < told.alignment.cka < 1.0
    assert {one.method: one.needed_pairs for one in told.methods}["cca"] == 16
    assert told.seconds > 0
    assert told.peak_bytes > 0
    assert "400 pairs · mutual_knn" in repr(told)
    assert told.notes[-1] in repr(told)
    assert told.to_dict()["needed_pairs"] == told.needed_pairs


def test_a_table_of_the_curve(client, pair):
    pytest.importorskip("pandas")
    told = client.estimate_bridge(pair[0].name, pair[1].name)
    table = told.to_pandas()
    assert table["pairs"].tolist() == [point.pairs for point in (*told.measured, *told.foreseen)]
    assert table["measured"].tolist() == [True] * 5 + [False] * 4
    assert (table["recall@10_low"] <= table["recall@10"]).all()


def test_nothing_is_kept(client, pair):
    before = [bridge.name for bridge in client.list_bridges()]
    client.estimate_bridge(pair[0].name, pair[1].name)
    assert [bridge.name for bridge in client.list_bridges()] == before


def test_without_pairs_it_tells_what_is_needed(client, pair, name):
    client.create_space(f"{name}-other", dim=16)
    client.upsert(f"{name}-other", ["p", "q"], pair[0].vectors[:2])
    told = client.estimate_bridge(pair[0].name, f"{name}-other")
    assert (told.pairs, told.alignment, told.method, told.measured, told.foreseen) == (0, None, None, (), ())
    assert (told.needed_pairs, told.needed_pairs_interval, told.seconds, told.plateaus) == (None, (None, None), 0.0, {})
    assert not any(one.supported for one in told.methods if one.method == "ridge")
    assert repr(told).endswith("a fit needs at least 10 beside the fifth that is held out, a forecast 40: label some")


@pytest.mark.parametrize(
    ("options", "reason", "field"),
    [
        ({"recall": 1.0}, "INVALID_ARGUMENT", "recall"),
        ({"recall": "much"}, "INVALID_ARGUMENT", "recall"),
        ({"k": 5}, "INVALID_ARGUMENT", "k"),
        ({"k": 0}, "INVALID_ARGUMENT", "k"),
        ({"method": "magic"}, "UNKNOWN_METHOD", "method"),
        ({"pair_ids": []}, "TOO_FEW_PAIRS", "pair_ids"),
        ({"pair_ids": ["item-0000", "item-0000"]}, "DUPLICATE_ID", "pair_ids"),
        ({"pair_ids": ["item-0000"], "target_ids": []}, "SHAPE_MISMATCH", "target_ids"),
        ({"seed": -1}, "INVALID_ARGUMENT", "seed"),
    ],
)
def test_bad_input_is_refused(client, pair, options, reason, field):
    with pytest.raises(consilience.InvalidArgumentError) as refused:
        client.estimate_bridge(pair[0].name, pair[1].name, **options)
    assert (refused.value.reason, refused.value.field) == (reason, field)


def test_what_is_not_there_is_refused(client, pair):
    with pytest.raises(consilience.NotFoundError) as refused:
        client.estimate_bridge(pair[0].name, "nobody")
    assert refused.value.field == "target"
    with pytest.raises(consilience.NotFoundError) as refused:
        client.estimate_bridge(pair[0].name, pair[1].name, ["item-0000", "nobody"])
    assert refused.value.reason == "ITEM_NOT_FOUND"


def test_a_bare_message_is_answered_by_its_defaults_or_refused(client, pair):
    spaces = [space_pb2.SpaceRef(name=f"spaces/{side.name}") for side in pair]
    request = bridge_estimate_pb2.EstimateBridgeRequest(source=spaces[0], target=spaces[1])
    with pytest.raises(consilience.InvalidArgumentError) as refused:
        client._call(methods.ESTIMATE_BRIDGE, request)
    assert refused.value.reason == "UNKNOWN_METHOD"
    request.method = bridge_pb2.BRIDGE_METHOD_RIDGE
    response, _ = client._call(methods.ESTIMATE_BRIDGE, request)
    assert response.method == bridge_pb2.BRIDGE_METHOD_RIDGE
    assert response.notes[-1].startswith("recall@1 of 0.9 ")
    request.pairs.attribute = "label"
    with pytest.raises(consilience.UnimplementedError) as refused:
        client._call(methods.ESTIMATE_BRIDGE, request)
    assert refused.value.reason == "NOT_SERVED"


def test_the_command_prints_it(client, pair, tmp_path):
    known = tmp_path / "pairs.txt"
    known.write_text("\n".join(pair[0].ids[:200]))
    told = estimate(client, pair[0].name, pair[1].name, pairs=known, recall=0.5, k=10)
    assert "200 pairs" in told.text
    assert told.data["pairs"] == 200
    assert told.data["measured"][-1]["pairs"] == 160
