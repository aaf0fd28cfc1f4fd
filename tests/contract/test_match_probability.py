"""Probabilities and one-to-one matches over the wire: what the SDK shows of them, joined over parts, and on the command line."""

import json

import numpy as np
import pytest
from support.bridge_bench import paired_clouds
from typer.testing import CliRunner

import consilience
from consilience.commands.app import app

X, Y = paired_clouds(n=500)
IDS = [f"i{row:04d}" for row in range(500)]


@pytest.fixture(scope="module")
def bridged(client):
    for name, vectors in (("px", X), ("py", Y)):
        client.create_space(name, dim=vectors.shape[1])
        client.upsert(name, IDS, vectors)
    client.fit_bridge("px", "py", name="p-bridge", method="ridge", pair_ids=IDS[:250])
    return client


def test_probabilities_come_with_what_they_are_calibrated_on(bridged):
    found = bridged.match(X[250:], bridge="p-bridge", k=3, correction="csls", probability=True)
    assert found.probability.shape == (250, 3)
    assert ((found.probability > 0) & (found.probability.sum(axis=1, keepdims=True) < 1)).all()
    assert found.calibration.pairs >= 250
    assert f"calibrated on {found.calibration.pairs} pairs" in repr(found)
    assert found.warnings == ()
    assert np.array_equal(found.rows(3, 5).probability, found.probability[3:5])
    right = found.ids[:, 0] == np.array(IDS[250:])
    assert abs(found.probability[:, 0].mean() - right.mean()) < 0.1
    assert bridged.match(X[:2], bridge="p-bridge", k=3).probability is None


def test_why_there_are_none_is_said(bridged):
    found = bridged.match(X[:2], bridge="p-bridge", k=3, probability=True, exclude_ids=IDS[:1])
    assert (found.probability, found.calibration) == (None, None)
    assert "no probabilities: known pairs tell nothing of part of the gallery" in repr(found)
    with pytest.raises(consilience.InvalidArgumentError, match="ask through a bridge"):
        bridged.match(X[:2], space="px", k=3, probability=True)


def test_one_to_one(bridged):
    found = bridged.match(query_ids=IDS[:300], bridge="p-bridge", one_to_one=True)
    assert found.ids.shape == (300, 1)
    assert len(set(found.ids[:, 0])) == 300
    assert "one to one" in repr(found)
    greedy = bridged.match(query_ids=IDS[:300], bridge="p-bridge", k=1)
    assert np.mean(found.ids[:, 0] == IDS[:300]) > np.mean(greedy.ids[:, 0] == IDS[:300])
    with pytest.raises(consilience.InvalidArgumentError, match="ask for k = 1"):
        bridged.match(X[:2], bridge="p-bridge", k=2, one_to_one=True)


def test_a_bridge_whose_spaces_moved_on_says_so(bridged):
    bridged.upsert("py", ["later"], Y[:1])
    found = bridged.match(X[:2], bridge="p-bridge", k=1)
    assert found.warnings == ("the target space 'py' is at version 2; the bridge was fitted on 1",)
    assert "is at version 2" in repr(found)
    assert bridged.match(X[:2], bridge="p-bridge", k=1, gallery_version=1).warnings == ()


@pytest.mark.parametrize("client", ["server"], indirect=True)
def test_the_command_line(bridged):
    asked = ["match", *IDS[:3], "--bridge", "p-bridge", "-k", "2", "--address", bridged.settings.address]
    lines = CliRunner().invoke(app, [*asked, "--probability"])
    assert lines.exit_code == 0
    assert "calibrated on" in lines.stderr
    assert 0 < float(lines.stdout.splitlines()[0].split("\t")[5]) < 1
    told = CliRunner().invoke(app, ["match", *IDS[:3], "--bridge", "p-bridge", "--one-to-one", "--json", asked[-2], asked[-1]])
    assert len(set(np.ravel(json.loads(told.stdout)["ids"]))) == 3
