"""`evaluate_upgrade` and `consilience gate`, over a server and in-process alike."""

import contextlib
import json

import numpy as np
import pytest

import consilience
from consilience import AsyncClient
from consilience.commands import connected
from consilience.commands.app import run

N, WIDTH = 300, 8


@pytest.fixture(scope="module")
def spaces(client):
    """An encoder, itself rotated, and another one; ids have prefixes and a label."""
    rng = np.random.default_rng(0)
    old = rng.standard_normal((N, WIDTH))
    rotation = np.linalg.qr(rng.standard_normal((WIDTH, WIDTH)))[0]
    ids = [f"{'ab'[row % 2]}/{row}" for row in range(N)]
    for name, vectors in (("gate-old", old), ("gate-rotated", old @ rotation), ("gate-other", rng.standard_normal((N, 6)))):
        client.create_space(name, dim=vectors.shape[1])
        client.upsert(name, ids, vectors, attributes={"label": [row % 3 for row in range(N)]})
    return ids


def evaluate(client, new="gate-rotated", **options):
    return client.evaluate_upgrade("gate-old", new, **{"method": "procrustes", "thresholds": {"recall@10": 0.7}, **options})


def test_a_report(client, spaces):
    report = evaluate(client, slices="label", reembed=7)
    assert (report.verdict, report.queries_needed, report.gallery) == ("bridge", 0, N)
    assert set(report.strategies) == {"identity", "mean_shift", "bridge", "keep_old", "reembed"}
    assert set(report.slices) == {"", "0", "1", "2"}
    assert [(test.strategy, test.outcome) for test in report.tests] == [("identity", "fails"), ("bridge", "passes")]
    assert report.tests[1].retained == report.strategies["bridge"].retained["recall@10"]
    assert set(report.reembed_first) <= set(spaces)
    assert (len(report.reembed_first), len(report.missed), len(set(report.reembed_first))) == (7, 7, 7)
    assert [point.items for point in report.regained] == [0, 37, 75, 150, 300]
    assert report.regained[-1].recall.value == 1.0
    assert (report.old.name, report.old_queries) == ("gate-old", None)
    assert repr(report).startswith("gate-old@1 to gate-rotated@1: bridge")
    assert json.loads(json.dumps(report.to_dict()))["verdict"] == "bridge"
    assert len(report.to_pandas()) == 5 * 4
    assert evaluate(client, slices="label", reembed=7) == report


def test_judgements_and_named_queries(client, spaces):
    qrels = {item: {spaces[(row + 1) % N]: 2, spaces[(row + 2) % N]: 1} for row, item in enumerate(spaces[:40])}
    report = evaluate(client, qrels=qrels, thresholds={"recall@10": 0.5, "ndcg@10": 0.5})
    assert report.queries == 40
    assert {test.measure for test in report.tests} == {"recall@10", "ndcg@10"}
    lists = evaluate(client, qrels={item: list(grades) for item, grades in qrels.items()}, thresholds={"recall@10": 0.5})
    assert lists.strategies["reembed"].measured["recall@10"] == report.strategies["reembed"].measured["recall@10"]
    named = evaluate(client, queries=spaces[:25], prefix="/")
    assert (named.queries, set(named.slices)) == (25, {"", "a", "b"})


def test_a_given_bridge(client, spaces):
    bridge = client.fit_bridge("gate-rotated", "gate-old", "gate-up", method="procrustes", pair_ids=spaces[:200])
    report = client.evaluate_upgrade("gate-old", "gate-rotated", bridge=bridge, thresholds={"recall@10": 0.7})
    assert (report.bridge.name, report.bridge.fit_pairs, report.queries) == ("gate-up", 160, 140)
    client.delete_bridge(bridge)


def test_as_an_operation(client, spaces):
    heard = []
    operation = evaluate(client, wait=False)
    assert operation.kind == "evaluate_upgrade"
    report = client.wait_operation(operation, progress=lambda done, _: heard.append(done))
    assert report == evaluate(client)
    assert heard[-1] == 1.0


BAD = [
    ({"new": "gate-old"}, "INVALID_ARGUMENT", "new"),
    ({"new": "gate-nothing"}, "SPACE_NOT_FOUND", "new"),
    ({"thresholds": {"recall@3": 0.9}}, "INVALID_ARGUMENT", "thresholds"),
    ({"thresholds": {"recall@10": float("nan")}}, "INVALID_ARGUMENT", "thresholds['recall@10']"),
    ({"thresholds": {"recall@10": 2}}, "INVALID_ARGUMENT", "thresholds"),
    ({"thresholds": {}}, "INVALID_ARGUMENT", "thresholds"),
    ({"thresholds": "recall@10"}, "INVALID_ARGUMENT", "thresholds"),
    ({"thresholds": {"ndcg@10": 0.9}}, "INVALID_ARGUMENT", "thresholds"),
    ({"queries": []}, "INVALID_ARGUMENT", "queries"),
    ({"queries": ["nobody"]}, "ITEM_NOT_FOUND", "queries"),
    ({"queries": ["a/0", "a/0"]}, "DUPLICATE_ID", "queries"),
    ({"sample_queries": 0}, "INVALID_ARGUMENT", "sample_queries"),
    ({"sample_queries": 5000}, "INVALID_ARGUMENT", "sample_queries"),
    ({"qrels": []}, "INVALID_ARGUMENT", "qrels"),
    ({"qrels": {"a/0": {"b/1": -1}}}, "INVALID_ARGUMENT", "qrels"),
    ({"qrels": {"a/0": ["b/1", "b/1"]}}, "DUPLICATE_ID", "qrels"),
    ({"query_spaces": "gate-old"}, "INVALID_ARGUMENT", "query_spaces"),
    ({"query_spaces": ("gate-old", "gate-other")}, "DIMENSION_MISMATCH", "query_spaces"),
    ({"bridge": "gate-nothing", "method": "auto"}, "BRIDGE_NOT_FOUND", "bridge"),
    ({"bridge": "gate-nothing"}, "INVALID_ARGUMENT", "method"),
    ({"method": "magic"}, "UNKNOWN_METHOD", "method"),
    ({"slices": "colour"}, "INVALID_ATTRIBUTE", "slices"),
    ({"slices": "label", "prefix": "/"}, "INVALID_ARGUMENT", "prefix"),
    ({"prefix": "#"}, "INVALID_ARGUMENT", "prefix"),
    ({"seed": -1}, "INVALID_ARGUMENT", "seed"),
    ({"reembed": 10**6}, "INVALID_ARGUMENT", "reembed"),
    ({"new": "gate-other", "method": "mean_shift"}, "DIMENSION_MISMATCH", "method"),
]


@pytest.mark.parametrize(("options", "reason", "field"), BAD)
@pytest.mark.usefixtures("spaces")
def test_bad_input(client, options, reason, field):
    with pytest.raises(consilience.ConsilienceError) as refused:
        evaluate(client, **options)
    assert (refused.value.reason, refused.value.field) == (reason, field)


@pytest.mark.usefixtures("spaces")
def test_kernels_have_no_vectors(client, name):
    client.create_space(name, kind="kernel")
    with pytest.raises(consilience.InvalidArgumentError) as refused:
        evaluate(client, new=name)
    assert (refused.value.reason, refused.value.field) == ("KERNEL_SPACE", "new")


@pytest.fixture
def gate(client, capsys, monkeypatch):
    """The command over this very client: (exit code, stdout, stderr)."""
    monkeypatch.setattr(connected, "open_client", lambda *_: contextlib.nullcontext(client))

    def told(*arguments):
        code = run(["gate", "gate-old", *arguments, "--method", "procrustes"])
        return code, *capsys.readouterr()

    return told


@pytest.mark.usefixtures("spaces")
def test_exit_codes_of_the_gate(gate, tmp_path):
    code, out, _ = gate("gate-rotated", "--recall-at-10", ".7")
    assert (code, out.split(" · ")[0]) == (0, "gate-old@1 to gate-rotated@1: bridge")
    code, out, _ = gate("gate-other", "--recall-at-10", ".5", "--json")
    assert (code, json.loads(out)["verdict"]) == (7, "reembed")
    assert gate("gate-rotated", "--recall-at-10", ".7", "--sample-queries", "3")[0] == 8
    assert gate("gate-nothing")[0] == 3
    assert gate("gate-rotated", "--recall-at-10", "7")[0] == 2
    (tmp_path / "qrels.txt").write_text("a/0 0 b/1 2\nb/1 0 a/2 1\n")
    code, out, _ = gate("gate-rotated", "--ndcg-at-10", ".7", "--qrels", str(tmp_path / "qrels.txt"), "--json")
    assert (code, json.loads(out)["queries"]) == (8, 2)
    (tmp_path / "ids.txt").write_text("a/0\nb/1\n")
    code, out, _ = gate("gate-rotated", "--query-ids", str(tmp_path / "ids.txt"), "--query-spaces", "gate-old,gate-rotated", "--json")
    assert json.loads(out)["old_queries"]["name"] == "gate-old"


async def test_asynchronously(client, spaces):
    if client.settings.address.startswith("local:"):
        return
    async with AsyncClient(client.settings.address) as other:
        report = await other.evaluate_upgrade("gate-old", "gate-rotated", method="procrustes", thresholds={"recall@10": 0.7})
    assert report == evaluate(client)
    assert len(spaces) == N
