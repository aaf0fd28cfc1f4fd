"""Stitching layers through the service: what is kept, what the answer tells, what is refused."""

import math
from importlib.util import find_spec

import numpy as np
import pytest
from support.filled_space import fill

from consilience import InvalidArgumentError, NotFoundError

pytestmark = pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed")


@pytest.fixture
def spaces(client, name):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((600, 6), dtype=np.float32)
    y = np.abs(x @ rng.standard_normal((6, 10), dtype=np.float32))
    fill(client, f"{name}-source", x)
    fill(client, f"{name}-target", y)
    return f"{name}-source", f"{name}-target"


def test_a_layer_is_trained_kept_used_and_told(client, spaces, name, tmp_path):
    options = dict(architecture="residual_mlp", loss="infonce", hidden=64, temperature=0.1, max_epochs=8)
    bridge = client.fit_bridge(*spaces, f"{name}-layer", method="stitching_layer", **options, timeout=300)
    told = bridge.stitching
    assert (bridge.method, bridge.leads_into_target, bridge.fit_pairs) == ("stitching_layer", True, 480)
    assert (told.architecture, told.loss, told.hidden, told.temperature, told.relational_weight) == ("residual_mlp", "infonce", 64, 0.1, 0)
    assert 0 < told.best_epoch <= told.epochs <= 8
    assert told.validation_pairs == 48
    assert told.validation_recall >= told.start_recall
    assert told.information.value <= told.information.interval.high <= math.log(told.information_pairs)
    assert told.information_pairs == bridge.held_out.queries == 120
    assert "nats shared (120 held-out pairs)" in repr(bridge)
    assert client.get_bridge(bridge).stitching == told
    assert {found.name: found for found in client.list_bridges()}[bridge.name].stitching == told
    ridge = client.fit_bridge(*spaces, f"{name}-ridge", method="ridge", timeout=300)
    assert ridge.stitching is None
    vectors = np.random.default_rng(1).standard_normal((5, 6)).astype(np.float32)
    assert np.abs(np.linalg.norm(client.translate(bridge, vectors), axis=1) - 1).max() < 1e-6
    assert client.match(queries=vectors, bridge=bridge, k=3).ids.shape == (5, 3)
    client.export_bridge(bridge, tmp_path / "layer.onnx")
    with pytest.raises(InvalidArgumentError, match="fit a bridge for the other direction"):
        client.invert_bridge(bridge, f"{name}-back")


def test_the_default_is_linear_by_cosines(client, spaces, name):
    bridge = client.fit_bridge(*spaces, f"{name}-layer", method="stitching_layer", max_epochs=2, timeout=300)
    told = bridge.stitching
    assert (told.architecture, told.loss, told.hidden, told.relational_weight, told.temperature) == ("linear", "cosine_relational", 0, 1, 0)
    assert told.information is None
    assert bridge.candidates[-1] == bridge.held_out


@pytest.mark.parametrize(
    ("options", "field", "message"),
    [
        (dict(architecture="transformer"), "architecture", "linear, residual_mlp"),
        (dict(loss="mse"), "loss", "cosine_relational, infonce"),
        (dict(hidden=32), "hidden", "a linear layer has none"),
        (dict(temperature=100.0), "temperature", "0.001 to 10"),
        (dict(temperature=0), "temperature", "above 0"),
        (dict(relational_weight=-1), "relational_weight", "from 0 on"),
        (dict(max_epochs=0), "max_epochs", "from 1"),
        (dict(method="ridge", loss="infonce"), "architecture", "of stitching layers; the method is 'ridge'"),
    ],
)
def test_what_cannot_be_trained_is_refused(client, spaces, name, options, field, message):
    with pytest.raises(InvalidArgumentError, match=message) as refused:
        client.fit_bridge(*spaces, f"{name}-layer", **{"method": "stitching_layer", **options})
    assert refused.value.field == field
    with pytest.raises(NotFoundError):
        client.get_bridge(f"{name}-layer")


def test_few_pairs_are_refused(client, spaces, name):
    with pytest.raises(InvalidArgumentError, match="stitching_layer needs at least 50") as refused:
        client.fit_bridge(*spaces, f"{name}-layer", method="stitching_layer", pair_ids=[f"item-{row:04d}" for row in range(40)])
    assert refused.value.reason == "TOO_FEW_PAIRS"
