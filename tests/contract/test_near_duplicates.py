"""Near-duplicates left out, over a server and in-process."""

import numpy as np
import pytest
from support.filled_space import fill

import consilience
from consilience_server.core.query_sample import sampling_keys


@pytest.fixture
def pair(client, name):
    """80 items and 20 copies of the first of them: equal in x, nearly so in y."""
    random = np.random.default_rng(2)
    x = random.standard_normal((80, 8), dtype=np.float32)
    y = (x[:, :6] + 0.5 * random.standard_normal((80, 6))).astype(np.float32)
    x = np.concatenate([x, x[:20]])
    y = np.concatenate([y, y[:20] + np.float32(1e-4)])
    return fill(client, f"{name}-x", x), fill(client, f"{name}-y", y, similarity="inner_product")


def test_one_of_each_is_kept_and_the_rest_counted(client, pair):
    x, y = pair
    raw = client.align(x.name, y.name, k=5, permutations=99)
    report = client.align(x.name, y.name, k=5, permutations=99, deduplicate=0.999)
    assert (raw.n, raw.duplicates, raw.deduplicate) == (100, 0, 0.0)
    assert (report.n, report.gallery, report.duplicates, report.deduplicate) == (80, 80, 20, 0.999)
    assert raw.score > report.score
    keys = sampling_keys(x.ids)
    kept = [row if row >= 20 or keys[row] < keys[80 + row] else 80 + row for row in range(80)]
    alone = [
        fill(client, f"{side.name}-kept", side.vectors[sorted(kept)], kind)
        for side, kind in zip(pair, ("cosine", "inner_product"), strict=True)
    ]
    assert client.align(alone[0].name, alone[1].name, k=5, permutations=0).score == pytest.approx(report.score, rel=1e-12)


def test_equal_directions_alone(client, pair):
    x, y = pair
    assert client.align(x.name, x.name, k=5, permutations=0, deduplicate=1).duplicates == 20
    assert client.align(y.name, y.name, k=5, permutations=0, deduplicate=1).duplicates == 0
    matrix = client.align_matrix([x.name, y.name], k=5, permutations=9, deduplicate=1)
    assert (matrix.duplicates, matrix.deduplicate, int(matrix.n[0, 1])) == (20, 1.0, 80)
    assert client.align_arrays(x.vectors, y.vectors, k=5, permutations=0, deduplicate=1).duplicates == 20
    curve = client.gallery_curve(x.name, y.name, ks=5, sizes=[40, 80], permutations=0, deduplicate=1)
    assert [report.duplicates for report in curve.reports] == [20, 20]
    with pytest.raises(consilience.InvalidArgumentError, match="only 80 items"):
        client.gallery_curve(x.name, y.name, ks=5, sizes=[100], permutations=0, deduplicate=1)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"deduplicate": 1.5}, "deduplicate"),
        ({"deduplicate": -0.1}, "deduplicate"),
        ({"deduplicate": "0.9"}, "deduplicate"),
        ({"deduplicate": True}, "deduplicate"),
        ({"deduplicate": 1e-9, "k": 1}, "deduplicate"),
    ],
)
def test_what_is_no_cosine_or_leaves_nothing_is_refused(client, name, arguments, field):
    here = fill(client, name, np.abs(np.random.default_rng(0).standard_normal((30, 4), dtype=np.float32))).name
    with pytest.raises(consilience.InvalidArgumentError) as refused:
        client.align(here, here, **arguments)
    assert refused.value.field == field


def test_where_it_is_not_served_it_is_refused(client, pair):
    x, y = (side.name for side in pair)
    for call in (
        lambda: client.align_items(x, y, k=5, deduplicate=0.9),
        lambda: client.align_matrix([x, y], k=5, items="pairwise", deduplicate=0.9),
    ):
        with pytest.raises(consilience.InvalidArgumentError) as refused:
            call()
        assert refused.value.field == "deduplicate"


@pytest.mark.parametrize("call", ["align", "consensus"])
def test_a_dry_run_refuses_kernels_as_the_call_does(client, name, pair, call):
    matrix = pair[0].vectors @ pair[0].vectors.T
    client.create_space(f"{name}-kernel", kind="kernel")
    client.upsert(f"{name}-kernel", pair[0].ids, matrix)
    names = [f"{name}-kernel", pair[1].name]
    cost = client.estimate_alignment(*names, call=call, k=5, deduplicate=0.999)
    refused = [(each.field, each.reason) for each in cost.refusals]
    with pytest.raises(consilience.InvalidArgumentError) as no:
        client.align(*names, k=5, deduplicate=0.999) if call == "align" else client.consensus(names, k=5, deduplicate=0.999)
    assert refused == [(no.value.field, no.value.reason)] == [("deduplicate", no.value.reason)]
