import json

import numpy as np
import pytest

import consilience
from consilience import ConsensusReport, Operation
from consilience.commands.app import run
from consilience.v1 import alignment_pb2

SPACES = ["a", "b@2", "c"]


def test_it_asks_and_reads_everything(client, script):
    told = client.consensus(SPACES, name="agreed", method="procrustes", k=5, metric="cka", rank=7, extremes=1, seed=3)
    asked = script.last
    assert [(ref.name, ref.version) for ref in asked.spaces] == [("spaces/a", 0), ("spaces/b", 2), ("spaces/c", 0)]
    assert (asked.consensus_space_id, asked.method) == ("agreed", alignment_pb2.CONSENSUS_METHOD_PROCRUSTES)
    assert (asked.rank, asked.extremes, list(asked.spec.ks), asked.spec.seed) == (7, 1, [5], 3)
    assert isinstance(told, ConsensusReport)
    assert (told.method, told.spaces, told.n, told.dim, told.kept, told.ratio) == ("procrustes", ("a", "b", "c"), 100, 7, 0.875, 0.5)
    assert told.weights == (pytest.approx(1 / 3),) * 3
    np.testing.assert_allclose(told.scores, [0, 0.1, 0.2])
    assert told.ids == ["p", "q"]
    np.testing.assert_array_equal(told.agreement, [0.25, 0.75])
    assert (told.most, told.least) == ((("q", 0.75),), (("p", 0.25),))
    assert (told.most[0].id, told.least[0].agreement) == ("q", 0.25)
    assert told.space.name == "agreed"
    assert client.consensus(SPACES).space is None


def test_it_reads_as_a_table(client):
    told = client.consensus(SPACES)
    lines = repr(told).splitlines()
    assert lines[0] == (
        "consensus (mean_kernel) of 3 spaces · n = 100 · 7 axes, 87.5% of the variance · ratio 0.500"
        " · items agree 0.500 at k = 10, chance 0.100"
    )
    assert lines[2] == "  a  mutual_knn@10 = 0.000 [0.400, 0.600] · chance 0.100"
    assert lines[-1] == "note: look at c"
    table = told.to_pandas()
    assert table["space"].tolist() == ["a", "b", "c"]
    np.testing.assert_allclose(table["score"], [0, 0.1, 0.2])
    assert json.loads(json.dumps(told.to_dict()))["most"] == [{"id": "q", "agreement": 0.75}]


def test_it_can_be_an_operation(client):
    started = client.consensus(SPACES, wait=False)
    assert isinstance(started, Operation)
    assert isinstance(client.wait_operation(started), ConsensusReport)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"method": "mean"}, "method"),
        ({"rank": 0}, "rank"),
        ({"extremes": 0}, "extremes"),
        ({"k": [5, 10]}, "k"),
        ({"name": 3}, "name"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_it_is(client, script, arguments, field):
    with pytest.raises(consilience.InvalidArgumentError) as refused:
        client.consensus(SPACES, **arguments)
    assert refused.value.field == field
    assert script.calls == []


def test_the_command(address, script, capsys):
    code = run(["consensus", "a", "b", "c", "--name", "agreed", "--method", "procrustes", "-k", "5", "--address", address])
    out = capsys.readouterr().out
    assert code == 0
    assert "agreed on most: q 0.75\nagreed on least: p 0.25" in out
    assert (script.last.consensus_space_id, list(script.last.spec.ks)) == ("agreed", [5])
    assert run(["consensus", "a", "b", "--json", "--address", address]) == 0
    assert json.loads(capsys.readouterr().out)["ratio"] == 0.5
