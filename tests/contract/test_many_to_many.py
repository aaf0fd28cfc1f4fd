"""Pairs joined by an attribute, and evaluations as operations, through the service."""

import numpy as np
import pytest

import consilience


@pytest.fixture
def captions(client, name):
    """40 photos of one to three captions each, which lie near their photo's turned vector; the two spaces' names."""
    rng = np.random.default_rng(0)
    photos = rng.standard_normal((40, 8))
    of = np.repeat(np.arange(40), rng.integers(1, 4, 40))
    turned = photos @ np.linalg.qr(rng.standard_normal((8, 8)))[0]
    texts = turned[of] + 0.05 * rng.standard_normal((len(of), 8))
    for space, vectors, values in ((f"{name}-texts", texts, of), (f"{name}-photos", photos, np.arange(40))):
        client.create_space(space, dim=8)
        ids = [f"{space}-{row:03d}" for row in range(len(vectors))]
        client.upsert(space, ids, vectors, attributes={"photo": [f"p{value}" for value in values]})
    return f"{name}-texts", f"{name}-photos"


@pytest.fixture
def bridge(client, captions, name):
    return client.fit_bridge(*captions, f"{name}-bridge", method="ridge", pair_attribute="photo")


@pytest.mark.parametrize("way", ["there", "back"])
def test_a_bridge_is_fitted_and_measured_by_value(client, captions, name, way):
    source, target = captions if way == "there" else captions[::-1]
    bridge = client.fit_bridge(source, target, f"{name}-bridge", method="ridge", pair_attribute="photo")
    assert (bridge.pair_attribute, bridge.split_by, bridge.pairs_left_out, bridge.notes) == ("photo", "photo", 0, ())
    assert "pairs of equal photo" in repr(bridge)
    assert bridge.held_out.recalls[1].recall > 0.8
    assert 0 < bridge.held_out.values <= bridge.held_out.queries
    found = client.evaluate_bridge(bridge, pair_attribute="photo")
    assert found.report == bridge.held_out
    assert found.fitted_pairs > 0
    assert f"{found.report.values} values" in repr(found)
    assert client.get_bridge(bridge.name).held_out == bridge.held_out


def test_what_joins_no_pairs_is_refused(client, captions, bridge, name):
    source, target = captions
    for options, reason, field in (
        ({"pair_attribute": "colour"}, "INVALID_ATTRIBUTE", "pair_attribute"),
        ({"pair_attribute": "photo", "pair_ids": ["a"]}, "INVALID_ARGUMENT", "pair_attribute"),
        ({"pair_attribute": ""}, "INVALID_ARGUMENT", "pair_attribute"),
    ):
        with pytest.raises(consilience.InvalidArgumentError) as fitted:
            client.fit_bridge(source, target, f"{name}-other", **options)
        with pytest.raises(consilience.InvalidArgumentError) as evaluated:
            client.evaluate_bridge(bridge, **options)
        for refused in (fitted.value, evaluated.value):
            assert (refused.reason, refused.field) == (reason, field)
    with pytest.raises(consilience.UnimplementedError, match="evaluate_bridge") as without:
        client.fit_bridge(source, target, f"{name}-other", method="unsupervised", pair_attribute="photo")
    assert without.value.field == "pair_attribute"
    with pytest.raises(consilience.UnimplementedError, match="one partner each"):
        client.evaluate_bridge(bridge, pair_attribute="photo", labels="photo")


def test_an_evaluation_goes_on_as_an_operation(client, bridge):
    told = []
    started = client.evaluate_bridge(bridge, pair_attribute="photo", wait=False, request_id=f"{bridge.name}-evaluated")
    assert started.kind == "evaluate_bridge"
    found = client.wait_operation(started, progress=lambda done, total: told.append(done / total))
    assert found == client.evaluate_bridge(bridge, pair_attribute="photo")
    assert told == sorted(told)
    again = client.evaluate_bridge(bridge, pair_attribute="photo", wait=False, request_id=f"{bridge.name}-evaluated")
    assert again.name == started.name


def test_an_evaluation_that_fails_as_an_operation_says_why(client, bridge):
    started = client.evaluate_bridge(bridge, pair_attribute="colour", wait=False)
    with pytest.raises(consilience.InvalidArgumentError, match="colour"):
        client.wait_operation(started)
