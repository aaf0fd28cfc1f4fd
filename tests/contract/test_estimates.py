"""Dry runs over a server and in-process."""

import numpy as np
import pytest
from support.filled_space import fill

import consilience
from consilience.commands.estimate import estimate


@pytest.fixture
def pair(client, name):
    random = np.random.default_rng(0)
    return [fill(client, f"{name}-{side}", random.standard_normal((200, 8), dtype=np.float32)).name for side in "xy"]


def test_a_dry_run_tells_the_cost_and_computes_nothing(client, pair):
    told = client.estimate_alignment(*pair, k=[5, "n/20"], permutations=99)
    assert (told.items_at_most, told.queries, told.searches, told.runs) == (200, 200, 2, "inline")
    assert told.is_accepted
    assert told.fits
    assert told.peak_bytes == told.vector_bytes + told.table_bytes + told.scratch_bytes <= told.free_bytes <= told.budget_bytes
    assert 0 < told.seconds < 5
    assert repr(told).startswith("about ")
    assert "within the call · at most " in repr(told)
    assert client.estimate_alignment(*pair, k=5, sample_queries=20).queries == 20
    assert "20 queries of at most 200 items" in repr(client.estimate_alignment(*pair, k=5, sample_queries=20))


def test_more_work_than_a_call_may_take_would_be_an_operation(client, pair):
    most = client.server_info().limits.max_permutations
    assert client.estimate_alignment(*pair, metric="lcs_knn", k=list(range(1, 190)), permutations=most).runs == "operation"
    assert client.estimate_alignment(*pair, metric="cka").searches == 0


def test_refusals_are_told_as_the_call_would_end(client, pair):
    told = client.estimate_alignment(*pair, k=200)
    assert not told.is_accepted
    with pytest.raises(consilience.InvalidArgumentError) as refused:
        client.align(*pair, k=200)
    assert (told.refusals[0].reason, told.refusals[0].field, told.refusals[0].message) == (
        refused.value.reason,
        refused.value.field,
        refused.value.message,
    )
    assert repr(told).startswith("would be refused: k is 200")
    assert told.refusals[0].code == "INVALID_ARGUMENT"
    assert client.estimate_alignment(pair[0], pair[0], items="common").refusals[0].field == "spaces"


def test_what_is_not_there_is_refused(client, pair):
    with pytest.raises(consilience.NotFoundError):
        client.estimate_alignment(pair[0], "nobody")
    with pytest.raises(consilience.InvalidArgumentError, match="two or more"):
        client.estimate_alignment(pair[0])


def test_the_command_prints_it(client, pair):
    told = estimate(client, pair, k="5", items="pairwise")
    assert "4 searches" in told.text
    assert told.data["refusals"] == []


def test_every_call_is_priced_with_what_stands_beside(client, pair, name):
    x, y = pair
    for at in range(3):
        space = f"{name}-layer-{at}"
        client.create_space(space, dim=6, group=name, layer=str(at))
        client.upsert(space, client.get_embeddings(x).ids, np.random.default_rng(at).normal(size=(200, 6)))
    group, third = f"groups/{name}", f"{name}-layer-0"
    alone = client.estimate_alignment(x, y, k=5)
    layers = client.estimate_alignment(group, y, k=5)
    assert (layers.searches, layers.is_accepted) == (4 + 4 + 2, True)
    assert layers.seconds > alone.seconds
    assert client.estimate_alignment(group, y, k=5, layer_selection="max").searches == 4
    beside = client.estimate_alignment(x, y, k=5, controls={third: "y"}, given=f"{name}-layer-1")
    assert beside.searches == 3
    assert beside.peak_bytes > alone.peak_bytes
    for call, spaces, searches, more in (
        ("align_matrix", [x, y], 2, {}),
        ("trend", [x, y, third], 4, {"reference": f"{name}-layer-1"}),
        ("consensus", [x, y, third], 6, {"method": "procrustes", "rank": 4}),
        ("gallery_curve", [x, y], 4, {"sizes": [50, 200]}),
        ("compare_alignments", [x, y, x, third], 3, {}),
    ):
        told = client.estimate_alignment(*spaces, k=5, call=call, **more)
        assert (told.searches, told.is_accepted, told.runs) == (searches, True, "inline"), call
    refused = client.estimate_alignment(x, y, k=5, call="trend").refusals[0]
    with pytest.raises(consilience.InvalidArgumentError) as error:
        client.trend([x, y], {x: 1, y: 2}, k=5)
    assert refused.message == error.value.message
    with pytest.raises(consilience.InvalidArgumentError, match="takes 2"):
        client.estimate_alignment(x, y, third, call="align")


def test_the_exit_code_is_that_of_the_refusal(client, pair):
    assert estimate(client, pair, k="5").code == 0
    refused = estimate(client, pair, k="200")
    assert (refused.code, refused.text[:16]) == (2, "would be refused")
    assert estimate(client, [*pair, *pair], call="compare_alignments", k="5").code == 2
    assert estimate(client, pair, k="5", call="gallery_curve", sizes="50,200").code == 0
