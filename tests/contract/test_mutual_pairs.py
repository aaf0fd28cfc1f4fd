"""Pairs of two spaces, through a real server and in this process."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest

import consilience

RNG = np.random.default_rng(7)
LATENT = RNG.standard_normal((300, 6))
X = (LATENT @ RNG.standard_normal((6, 12)) + 0.7 * RNG.standard_normal((300, 12))).astype(np.float32)
Y = (LATENT @ RNG.standard_normal((6, 12)) + 0.7 * RNG.standard_normal((300, 12))).astype(np.float32)
IDS = [f"item-{row:03d}" for row in range(300)]


@pytest.fixture(scope="module")
def spaces(client):
    client.create_space("left-side", dim=12)
    client.create_space("right-side", dim=12)
    groups = [f"g{row // 2}" for row in range(300)]
    client.upsert("left-side", IDS, X, {"group_id": groups})
    client.upsert("right-side", IDS[:200], Y[:200], {"group_id": groups[:200]})
    client.fit_bridge("left-side", "right-side", "left-to-right", pair_ids=IDS[100:200], method="ridge")
    return "left-side", "right-side"


def margin(s, k):
    near = -np.sort(-s, axis=1)[:, :k].mean(axis=1)
    back = -np.sort(-s.T, axis=1)[:, :k].mean(axis=1)
    return near, back


def cosines(x, y):
    x, y = x.astype(np.float64), y.astype(np.float64)
    return (x / np.linalg.norm(x, axis=1, keepdims=True)) @ (y / np.linalg.norm(y, axis=1, keepdims=True)).T


@pytest.fixture(scope="module")
def clouds(client):
    rng = np.random.default_rng(3)
    sides = {"cloud-x": 1.5 + rng.standard_normal((90, 10)), "cloud-y": 1.5 + rng.standard_normal((70, 10))}
    for name, vectors in sides.items():
        client.create_space(name, dim=10)
        client.upsert(name, IDS[: len(vectors)], np.float32(vectors))
    return [np.float32(vectors) for vectors in sides.values()]


@pytest.mark.parametrize("correction", ["none", "csls", "margin_ratio", "margin_distance"])
@pytest.mark.parametrize("mode", ["forward", "backward", "intersect", "max"])
def test_by_numpy(client, clouds, mode, correction):
    x, y = clouds
    s = cosines(x, y)
    a, b = margin(s, 10 if correction == "csls" else 4)
    mean = (a[:, None] + b[None, :]) / 2
    scores = {"none": s, "csls": 2 * (s - mean), "margin_ratio": s / mean, "margin_distance": s - mean}[correction]
    forward = [(i, int(scores[i].argmax())) for i in range(90)]
    backward = [(int(scores[:, j].argmax()), j) for j in range(70)]
    kept = {"forward": forward, "backward": backward, "intersect": set(forward) & set(backward), "max": set(forward) | set(backward)}[mode]
    kept = sorted(kept, key=lambda pair: (-scores[pair], pair))
    if mode == "max":
        kept = [pair for place, pair in enumerate(kept) if not _taken(kept[:place], pair)]
    found = client.mutual_pairs("cloud-x", "cloud-y", mode=mode, correction=correction)
    assert [(int(i[5:]), int(j[5:])) for i, j in zip(found.source_ids, found.target_ids, strict=True)] == kept
    np.testing.assert_allclose(found.scores, [scores[pair] for pair in kept], rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.similarities, [s[pair] for pair in kept], rtol=0, atol=1e-12)


def _taken(before, pair):
    """Whether greedy taking of the pairs before has used an item of this one."""
    sources, targets = set(), set()
    for i, j in before:
        if i not in sources and j not in targets:
            sources.add(i)
            targets.add(j)
    return pair[0] in sources or pair[1] in targets


def test_known_pairs(client, spaces):
    known = IDS[:100]
    found = client.mutual_pairs(*spaces, bridge="left-to-right", mode="max", correction="csls", known_pair_ids=known)
    judged = [(a, b) for a, b in zip(found.source_ids, found.target_ids, strict=True) if a in known or b in known]
    told = found.agreement
    assert (told.judged, told.right) == (len(judged), sum(a == b for a, b in judged))
    assert (told.precision, told.recall) == (told.right / told.judged, told.right / 100)
    assert told.precision_interval.low < told.precision < told.precision_interval.high
    by_group = client.mutual_pairs(*spaces, bridge="left-to-right", mode="max", correction="csls", known_attribute="group_id").agreement
    # Of the 200 with a partner some are in the fit: left out, and counted.
    assert (by_group.known_sources + by_group.fitted, by_group.right >= told.right) == (200, True)
    assert 60 <= by_group.fitted <= 100
    assert told.fitted == 0


def test_into_a_file(client, spaces, tmp_path):
    options = {"bridge": "left-to-right", "mode": "max", "correction": "margin_ratio", "threshold": 0.9}
    found = client.mutual_pairs(*spaces, **options)
    summary = client.export_mutual_pairs(*spaces, tmp_path / "pairs.parquet", **options)
    table = pq.read_table(tmp_path / "pairs.parquet")
    assert table.equals(found.to_arrow())
    told = json.loads(table.schema.metadata[b"consilience"])
    assert (told["mode"], told["threshold"], told["bridge"], told["source"]["version"]) == ("max", 0.9, "left-to-right", 1)
    assert (summary.pairs, summary.source, summary.bridge_uid) == (len(found), found.source, found.bridge_uid)
    assert (found.scores >= 0.9).all()


def test_an_operation_finds_them(client, spaces):
    operation = client.mutual_pairs(*spaces, bridge="left-to-right", wait=False)
    summary = client.wait_operation(operation)
    found = client.mutual_pairs(*spaces, bridge="left-to-right")
    assert (summary.pairs, summary.source) == (len(found), found.source)


def test_matches_into_a_file(client, spaces, tmp_path):
    found = client.match(query_ids=IDS[:5], bridge="left-to-right", k=3)
    found.to_parquet(tmp_path / "found.parquet")
    table = pq.read_table(tmp_path / "found.parquet")
    assert table.column_names == ["query", "rank", "id", "similarity", "score"]
    assert table["id"].to_pylist() == found.ids.ravel().tolist()
    told = json.loads(table.schema.metadata[b"consilience"])
    assert (told["kind"], told["bridge"], told["k"], told["gallery"]["version"]) == ("matches", "left-to-right", 3, 1)


@pytest.mark.parametrize(
    ("arguments", "kind", "field"),
    [
        ({"correction": "inverted_softmax"}, consilience.UnimplementedError, "correction"),
        ({"correction": "csls", "correction_k": 201}, consilience.InvalidArgumentError, "correction_k"),
        ({"known_pair_ids": ["nobody"]}, consilience.NotFoundError, "known_pair_ids"),
        ({"known_pair_ids": ["item-001", "item-001"]}, consilience.InvalidArgumentError, "known_pair_ids"),
        ({"known_attribute": "nothing"}, consilience.InvalidArgumentError, "known_attribute"),
        ({"threshold": float("inf")}, consilience.InvalidArgumentError, "threshold"),
    ],
)
def test_bad_input(client, spaces, arguments, kind, field):
    with pytest.raises(kind) as refused:
        client.mutual_pairs(*spaces, bridge="left-to-right", **arguments)
    assert refused.value.field == field
