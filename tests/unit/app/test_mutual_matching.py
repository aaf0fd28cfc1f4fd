import numpy as np
import pytest
from support.bridge_bench import BridgeBench, paired_clouds

from consilience_server.app.alignment_spec import SpaceQuery
from consilience_server.app.call import Call
from consilience_server.app.matching import MutualPairsQuery
from consilience_server.bridges.apply import centre_gallery, make_ready, map_vectors
from consilience_server.core import errors
from consilience_server.core.control import Control
from consilience_server.core.csls import csls
from consilience_server.core.exact_score import exact_scores
from consilience_server.core.similarity import Similarity

X, Y = paired_clouds(noise=0.6)
Y = Y[:150]


@pytest.fixture
async def bench():
    bench = BridgeBench()
    bench.space("x", X)
    bench.space("y", Y)
    await bench.bridging.fit(Call("fit_bridge"), bench.query())
    return bench


async def pairs(bench, call=None, source="x", target="y", **options):
    query = MutualPairsQuery(SpaceQuery(source), SpaceQuery(target), **options)
    return await bench.matching.mutual_pairs(call or Call("mutual_pairs"), query)


def oracle(scores):
    """Pairs that are each other's best, best first: (score, source row, target row)."""
    found = [(-scores[i, j], i, j) for i in range(scores.shape[0]) for j in [int(scores[i].argmax())] if int(scores[:, j].argmax()) == i]
    return sorted(found)


def similarities(bench):
    ready = make_ready(bench.bridges.get("b").map)
    return exact_scores(map_vectors(ready, X, Control()), centre_gallery(ready, Y, Control()), Similarity.COSINE)


@pytest.mark.parametrize("correction", ["none", "csls"])
async def test_by_the_definition(bench, correction):
    scores = similarities(bench)
    expected = oracle(scores if correction == "none" else csls(scores, 10))
    found = await pairs(bench, bridge="b", correction=correction)
    assert list(found.source_ids) == [f"i{i:04d}" for _, i, _ in expected]
    assert list(found.target_ids) == [f"i{j:04d}" for _, _, j in expected]
    assert np.allclose(found.scores, [-score for score, _, _ in expected], atol=1e-14)
    assert len(found.source_ids) > 30
    assert (found.source_items, found.target_items) == (200, 150)
    assert (found.source.name, found.target.name, found.bridge, found.correction) == ("spaces/x", "spaces/y", "b", correction)
    limited = await pairs(bench, bridge="b", correction=correction, limit=7)
    assert list(limited.source_ids) == list(found.source_ids)[:7]


async def test_most_pairs_are_true(bench):
    found = await pairs(bench, bridge="b", correction="csls")
    true = sum(a == b for a, b in zip(found.source_ids, found.target_ids, strict=True))
    assert true / len(found.source_ids) > 0.5


async def test_equal_scores_go_by_source_id():
    bench = BridgeBench()
    bench.space("x", np.eye(4), ["d", "a", "c", "b"])
    bench.space("y", np.eye(4)[::-1], ["p", "q", "r", "s"])
    found = await pairs(bench)
    assert list(found.source_ids) == ["a", "b", "c", "d"]
    assert list(found.target_ids) == ["r", "p", "q", "s"]
    assert found.scores.tolist() == [1.0] * 4


async def test_duplicates_pair_by_the_lower_row():
    bench = BridgeBench()
    bench.space("x", [[1, 0], [1, 0], [0, 1]])
    bench.space("y", [[0, 1], [1, 0], [1, 0]])
    found = await pairs(bench)
    assert list(zip(found.source_ids, found.target_ids, strict=True)) == [("i0000", "i0001"), ("i0002", "i0000")]


@pytest.mark.parametrize("similarity", list(Similarity))
async def test_without_a_bridge_spaces_are_compared_as_they_are(similarity):
    bench = BridgeBench()
    z = X[:80] + np.float32(0.1) * paired_clouds(seed=3)[0][:80]
    bench.space("x", X, similarity=similarity)
    bench.space("z", z, similarity=similarity)
    found = await pairs(bench, target="z")
    expected = oracle(exact_scores(X, z, similarity))
    assert list(found.source_ids) == [f"i{i:04d}" for _, i, _ in expected]
    assert found.bridge == ""


async def test_progress_never_falls_and_ends_at_one(bench):
    seen = []
    await pairs(bench, Call("mutual_pairs", control=Control(seen.append)), bridge="b", correction="csls")
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(1.0)


async def test_terms_are_shared_with_match_and_with_a_repeat(bench):
    await pairs(bench, bridge="b", correction="csls")
    bench.engine.asked.clear()
    await pairs(bench, bridge="b", correction="csls")
    assert bench.engine.asked == [(200, 150, 1, True), (150, 200, 1, True)]


async def test_the_wrong_direction_is_refused(bench):
    with pytest.raises(errors.WrongSpace, match="leads from 'x' into 'y', not from 'y' into 'x'; that is the other direction"):
        await pairs(bench, source="y", target="x", bridge="b")
    bench.space("z", X)
    with pytest.raises(errors.WrongSpace, match="choose another bridge"):
        await pairs(bench, source="z", bridge="b")


async def test_a_space_made_anew_is_refused(bench):
    bench.store.delete("y")
    bench.space("y", Y)
    with pytest.raises(errors.WrongSpace, match="another target space named 'y'"):
        await pairs(bench, bridge="b")


async def test_bad_input_is_refused(bench):
    with pytest.raises(errors.DimensionMismatch, match="'x' has dim 12, 'y' has dim 9; fit a bridge"):
        await pairs(bench)
    with pytest.raises(errors.InvalidArgument, match="one space at one version"):
        await pairs(bench, target="x")
    bench.space("dots", X, similarity=Similarity.INNER_PRODUCT)
    with pytest.raises(errors.InvalidArgument, match="compared by cosine, 'dots' by inner_product"):
        await pairs(bench, target="dots")
    bench.space("empty", np.zeros((0, 12)))
    with pytest.raises(errors.TooFewItems, match="spaces/empty is empty"):
        await pairs(bench, target="empty")
    with pytest.raises(errors.UnknownMethod):
        await pairs(bench, bridge="b", correction="ratio")
    with pytest.raises(errors.InvalidK, match="correction_k is 200"):
        await pairs(bench, bridge="b", correction="csls", correction_k=200)
    with pytest.raises(errors.BridgeNotFound):
        await pairs(bench, bridge="none")
    bench.space("few", X[:5])
    with pytest.raises(errors.InvalidK, match="so it may be at most 5"):
        await pairs(bench, target="few", correction="csls")
