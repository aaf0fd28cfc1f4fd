from dataclasses import replace

import numpy as np
import pytest
from support.bridge_bench import BridgeBench

from consilience_server.app.alignment_spec import SpaceQuery
from consilience_server.app.bridging import FitLimits
from consilience_server.app.call import Call
from consilience_server.app.ports import AttributeColumn
from consilience_server.app.upgrade_query import UpgradeQuery
from consilience_server.app.upgrading import Upgrades
from consilience_server.core import errors
from consilience_server.core.exact_score import exact_scores
from consilience_server.core.similarity import Similarity

CALL = Call("evaluate_upgrade")
N, WIDTH = 600, 10
RNG = np.random.default_rng(0)
OLD = RNG.standard_normal((N, WIDTH)).astype(np.float32)
ROTATION = np.linalg.qr(RNG.standard_normal((WIDTH, WIDTH)))[0].astype(np.float32)
ROTATED = OLD @ ROTATION
UNRELATED = RNG.standard_normal((N, 12)).astype(np.float32)
IDS = [f"i{row:04d}" for row in range(N)]


@pytest.fixture
def bench():
    bench = BridgeBench()
    bench.upgrades = Upgrades(
        bridges=bench.bridges, snapshots=bench.snapshots, pool=bench.pool, engine=bench.engine, limits=FitLimits("1.0", 1e10)
    )
    for name, vectors in (("old", OLD), ("same", OLD), ("rotated", ROTATED), ("unrelated", UNRELATED)):
        bench.space(name, vectors)
    return bench


async def evaluate(bench, new="rotated", old="old", **options):
    query = UpgradeQuery(SpaceQuery(old), SpaceQuery(new), **{"method": "procrustes", "thresholds": {"recall@10": 0.8}, **options})
    if query.bridge:
        query = replace(query, method="auto")
    return await bench.upgrades.evaluate(CALL, query)


def of(report, strategy):
    return next(each for each in report.strategies if each.strategy == strategy)


def nearest(queries, gallery, own, k=10):
    scores = exact_scores(queries, gallery, Similarity.COSINE)
    scores[np.arange(len(own)), own] = -np.inf
    return np.argsort(-scores, axis=1, kind="stable")[:, :k]


async def test_the_same_model_is_a_drop_in(bench):
    report = await evaluate(bench, "same")
    assert (report.verdict, report.queries_needed, report.queries, report.gallery) == ("drop_in", 0, 120, N)
    for strategy in ("identity", "keep_old", "reembed"):
        assert {name: each.value for name, each in of(report, strategy).retained.items()} == {
            "recall@1": 1.0, "recall@5": 1.0, "recall@10": 1.0, "mrr@10": 1.0,
        }  # fmt: skip


async def test_a_rotation_needs_its_bridge(bench):
    report = await evaluate(bench)
    assert report.verdict == "bridge"
    assert of(report, "identity").retained["recall@10"].value < 0.1
    assert of(report, "bridge").retained["recall@10"].low > 0.8
    assert (report.bridge.method, report.bridge.name) == ("procrustes", "")
    # Of 480 left, a fifth chooses.
    assert report.bridge.fit_pairs == 384


async def test_an_unrelated_model_means_to_re_embed(bench):
    report = await evaluate(bench, "unrelated", method="ridge")
    assert report.verdict == "reembed"
    assert not any(each.strategy in ("identity", "mean_shift") for each in report.strategies)
    assert report.reembedding.curve[-1].recall.value == 1.0


async def test_recall_is_the_share_of_the_neighbours_of_full_re_embedding(bench):
    asked = IDS[:150:3]
    report = await evaluate(bench, query_ids=asked)
    rows = np.arange(0, 150, 3)
    truth = nearest(ROTATED[rows], ROTATED, rows)
    swapped = nearest(ROTATED[rows], OLD, rows)
    for k in (1, 5, 10):
        shared = [len(np.intersect1d(a[:k], b[:k])) / k for a, b in zip(truth, swapped, strict=True)]
        assert of(report, "identity").measured[f"recall@{k}"].value == pytest.approx(np.mean(shared))
    place = [1 / (1 + row.tolist().index(first)) if first in row else 0.0 for row, first in zip(swapped, truth[:, 0], strict=True)]
    assert of(report, "identity").measured["mrr@10"].value == pytest.approx(np.mean(place))


async def test_few_queries_do_not_decide_and_say_how_many_would(bench):
    report = await evaluate(bench, sample_queries=6)
    assert report.verdict == "undecided"
    assert report.queries_needed > 6
    value = of(report, "bridge").retained["recall@10"].value
    exact = await evaluate(bench, sample_queries=6, thresholds={"recall@10": value})
    assert (exact.verdict, exact.queries_needed) == ("undecided", None)


async def test_too_few_pairs_leave_a_failure_undecided(bench):
    few = [f"f{row}" for row in range(40)]
    rng = np.random.default_rng(1)
    bench.space("wide-new", rng.standard_normal((40, 64)), few)
    bench.space("small-old", rng.standard_normal((40, 8)), few)
    report = await evaluate(bench, "wide-new", "small-old", method="ridge")
    assert (report.verdict, report.queries_needed) == ("undecided", None)
    assert any("dimensions are few" in note for note in report.notes)
    none = await evaluate(bench, "wide-new", "small-old", query_ids=few[:35])
    assert (none.verdict, none.queries_needed, none.bridge, none.reembedding) == ("undecided", None, None, None)
    assert any("too few pairs" in note for note in none.notes)


async def test_no_pair_of_a_query_or_its_group_is_fitted_on(bench):
    groups = {item: f"g{row // 3}" for row, item in enumerate(IDS)}
    bench.store.attributes = lambda space, _version, ids: (
        {"group_id": AttributeColumn("string", tuple(groups[item] for item in ids))} if space == "old" else {}
    )
    report = await evaluate(bench, query_ids=IDS[0:300:3])
    assert report.clustered_by == "group_id"
    # 100 groups of three ask; whole groups of the other 300 are held out of the fit.
    assert report.bridge.fit_pairs == 240


async def test_copies_of_queries_are_left_out_of_the_fit(bench):
    twins = [f"t{row:04d}" for row in range(N)]
    bench.space("twin-old", np.concatenate((OLD, OLD)), IDS + twins)
    bench.space("twin-new", np.concatenate((ROTATED, ROTATED)), IDS + twins)
    report = await evaluate(bench, "twin-new", "twin-old", query_ids=IDS[:50])
    assert report.bridge.near_copies == 50


async def test_a_given_bridge_never_answers_for_its_own_pairs(bench):
    await bench.bridging.fit(Call("fit_bridge"), bench.query("up", "rotated", "old", method="procrustes", item_ids=IDS[:500]))
    report = await evaluate(bench, bridge="up")
    assert (report.bridge.name, report.verdict) == ("up", "bridge")
    # 400 were fitted, 200 may ask.
    assert report.queries == 200
    some = await evaluate(bench, bridge="up", query_ids=IDS[:100])
    assert some.queries < 100
    assert any("fitted on them" in note for note in some.notes)
    with pytest.raises(errors.WrongSpace, match="other direction"):
        await evaluate(bench, new="old", old="rotated", bridge="up")


async def test_rows_and_the_order_of_queries_decide_nothing(bench):
    first = await evaluate(bench, query_ids=IDS[:90])
    again = await evaluate(bench, query_ids=IDS[:90][::-1])
    assert first.strategies == again.strategies
    assert first.reembed_ids == again.reembed_ids
    assert first.reembedding.curve == again.reembedding.curve
    other = await evaluate(bench, seed=1)
    assert other.strategies != (await evaluate(bench)).strategies


async def test_judgements_decide_instead_of_neighbours(bench):
    rows = np.arange(0, 200, 2)
    wanted = nearest(OLD[rows], OLD, rows, 2)
    qrels = {IDS[row]: {IDS[a]: 2.0, IDS[b]: 1.0, IDS[row]: 5.0} for row, (a, b) in zip(rows, wanted, strict=True)}
    qrels["nobody"] = {IDS[0]: 1.0}
    qrels[IDS[401]] = {"nothing": 1.0}
    report = await evaluate(bench, judgements=qrels, thresholds={"recall@10": 0.8, "ndcg@10": 0.8})
    # By the old model's own neighbours it finds all of them, itself left out, and the rotation as much.
    assert (report.verdict, report.queries) == ("bridge", 100)
    assert of(report, "keep_old").measured["ndcg@10"].value == 1.0
    assert of(report, "reembed").measured["recall@10"].value == pytest.approx(1.0)
    assert any("1 judged queries are not" in note for note in report.notes)
    assert any("1 judged items" in note for note in report.notes)
    worse = await evaluate(bench, "unrelated", judgements=qrels, method="ridge")
    assert worse.verdict == "keep"


async def test_query_spaces_ask_without_being_items(bench):
    rng = np.random.default_rng(1)
    questions = [f"q{row}" for row in range(80)]
    asked = rng.standard_normal((80, WIDTH)).astype(np.float32)
    bench.space("q-old", asked, questions)
    bench.space("q-new", asked @ ROTATION, questions)
    spaces = (SpaceQuery("q-old"), SpaceQuery("q-new"))
    report = await evaluate(bench, query_spaces=spaces)
    assert (report.verdict, report.queries) == ("bridge", 80)
    assert (report.old_queries.name, report.new_queries.name) == ("spaces/q-old", "spaces/q-new")
    assert report.bridge.fit_pairs == 480
    with pytest.raises(errors.DimensionMismatch, match="12"):
        await evaluate(bench, "unrelated", query_spaces=spaces)


async def test_items_that_ask_by_query_spaces_do_not_find_themselves(bench):
    spaces = (SpaceQuery("old"), SpaceQuery("rotated"))
    plain, named = await evaluate(bench), await evaluate(bench, query_spaces=spaces)
    assert named.strategies == plain.strategies
    assert named.bridge.fit_pairs == plain.bridge.fit_pairs
    assert named.old_queries.name == "spaces/old"
    bench.space("q", np.random.default_rng(1).standard_normal((N, WIDTH)))
    for some in (("old", "q"), ("q", "rotated"), ("rotated", "old")):
        with pytest.raises(errors.InvalidArgument, match="find themselves") as refused:
            await evaluate(bench, query_spaces=tuple(map(SpaceQuery, some)))
        assert refused.value.field == ("query_spaces.new" if some[0] == "q" else "query_spaces.old")


async def test_queries_that_are_copies_of_items_are_told(bench):
    for name, vectors in (("c-old", OLD), ("c-new", ROTATED)):
        bench.space(name, vectors[:60], [f"c{row}" for row in range(60)])
    report = await evaluate(bench, query_spaces=(SpaceQuery("c-old"), SpaceQuery("c-new")))
    assert any("60 queries have a near-copy among the items" in note for note in report.notes)


async def test_items_of_a_group_of_query_spaces_are_not_fitted_on(bench):
    asked = np.random.default_rng(1).standard_normal((80, WIDTH)).astype(np.float32)
    for name, vectors in (("q-old", asked), ("q-new", asked @ ROTATION)):
        bench.space(name, vectors, [f"q{row:04d}" for row in range(80)])
    # The group of query 7 is that of items 14 and 15; items from 160 on have groups that nobody asks.
    bench.store.attributes = lambda space, _version, ids: (
        {"group_id": AttributeColumn("integer", tuple(int(item[1:]) // (1 if item[0] == "q" else 2) for item in ids))}
        if space in ("old", "q-old")
        else {}
    )
    spaces = (SpaceQuery("q-old"), SpaceQuery("q-new"))
    report = await evaluate(bench, query_spaces=spaces)
    assert report.clustered_by == "group_id"
    # 440 left, a fifth chooses.
    assert report.bridge.fit_pairs == 352
    some = await evaluate(bench, query_spaces=spaces, query_ids=[f"q{row:04d}" for row in range(40)])
    assert some.bridge.fit_pairs == 416


async def test_queries_of_their_own_are_none_that_the_bridge_was_fitted_on(bench):
    await bench.bridging.fit(Call("fit_bridge"), bench.query("up", "rotated", "old", method="procrustes", item_ids=IDS[:500]))
    asked = np.random.default_rng(1).standard_normal((80, WIDTH)).astype(np.float32)
    for name, vectors in (("q-old", asked), ("q-new", asked @ ROTATION)):
        bench.space(name, vectors, IDS[:80])
    report = await evaluate(bench, bridge="up", query_spaces=(SpaceQuery("q-old"), SpaceQuery("q-new")))
    assert report.queries == 80
    assert not any("fitted on them" in note for note in report.notes)


async def test_a_given_bridge_whose_space_moved_on_says_so(bench):
    await bench.bridging.fit(Call("fit_bridge"), bench.query("up", "rotated", "old", method="procrustes", item_ids=IDS[:500]))
    bench.store.put("rotated", ["extra"], ROTATED[:1])
    report = await evaluate(bench, bridge="up")
    assert any("'rotated' is at version 2; the bridge was fitted on 1" in note for note in report.notes)


async def test_every_slice_must_pass(bench):
    """Two clusters far apart, of which the new encoder has mixed up the second."""
    rng = np.random.default_rng(1)
    centre = 8.0 * np.repeat([[1.0], [-1.0]], N // 2, axis=0) * np.eye(1, WIDTH)
    old = OLD + centre
    new = old.copy()
    new[N // 2 :] = rng.standard_normal((N // 2, WIDTH)) + centre[N // 2 :]
    bench.space("clusters", old)
    bench.space("half", new @ ROTATION)
    labels = {item: "kept" if row < N // 2 else "lost" for row, item in enumerate(IDS)}
    bench.store.attributes = lambda space, _version, ids: (
        {"part": AttributeColumn("string", tuple(labels[item] for item in ids))} if space == "clusters" else {}
    )
    report = await evaluate(bench, "half", "clusters", slice_by="part", thresholds={"recall@10": 0.4}, query_ids=IDS[::2])
    by_value = {part.value: part for part in report.slices}
    assert set(by_value) == {"", "kept", "lost"}
    assert by_value["kept"].verdict == "bridge"
    assert by_value["lost"].verdict == "reembed"
    assert report.verdict == "reembed"
    assert any("2 slices are judged" in note for note in report.notes)
    assert by_value["kept"].queries == by_value["lost"].queries == 150


async def test_items_that_the_new_space_lacks_are_counted(bench):
    bench.space("part", ROTATED[:400], IDS[:400])
    report = await evaluate(bench, "part")
    assert (report.gallery, report.dropped_old, report.dropped_new) == (400, 200, 0)
    assert any("a smaller one is easier" in note for note in report.notes)


async def test_the_estimate_grows_with_what_is_fitted(bench):
    auto = await bench.upgrades.estimate_seconds(CALL, UpgradeQuery(SpaceQuery("old"), SpaceQuery("rotated")))
    given = await bench.upgrades.estimate_seconds(CALL, UpgradeQuery(SpaceQuery("old"), SpaceQuery("rotated"), bridge="up"))
    assert auto > given > 0


BAD = [
    ({"new": "old"}, errors.InvalidArgument, "both 'old'", "new"),
    ({"new": "nothing"}, errors.SpaceNotFound, "nothing", "new"),
    ({"thresholds": {"recall@7": 0.9}}, errors.InvalidArgument, "recall@7", "thresholds"),
    ({"thresholds": {"recall@10": 0.0}}, errors.InvalidArgument, "above 0", "thresholds"),
    ({"thresholds": {"recall@10": 1.5}}, errors.InvalidArgument, "at most 1", "thresholds"),
    ({"thresholds": {}}, errors.InvalidArgument, "no threshold", "thresholds"),
    ({"thresholds": {"ndcg@10": 0.9}}, errors.InvalidArgument, "needs judgements", "thresholds"),
    ({"sample_queries": 0}, errors.InvalidArgument, "1 to 4,096", "sample_queries"),
    ({"query_ids": ["i0001", "i0001"]}, errors.DuplicateId, "twice", "query_ids"),
    ({"query_ids": ["nobody"]}, errors.ItemNotFound, "nobody", "query_ids"),
    ({"judgements": {"i0001": {"i0002": -1.0}}}, errors.InvalidArgument, "from 0", "judgements"),
    ({"judgements": {"nobody": {"i0002": 1.0}}}, errors.TooFewItems, "none of the judged", "judgements"),
    ({"judgements": {"i0001": {"i0001": 1.0}}}, errors.InvalidArgument, "none of 1 queries", "judgements"),
    ({"bridge": "nothing"}, errors.BridgeNotFound, "nothing", None),
    ({"slice_by": "part"}, errors.InvalidAttribute, "part", "slice_by"),
    ({"slice_by": "part", "slice_prefix": "/"}, errors.InvalidArgument, "choose one", "slice_prefix"),
    ({"slice_prefix": "/"}, errors.InvalidArgument, "have no '/'", "slice_prefix"),
    ({"new": "unrelated", "method": "identity"}, errors.DimensionMismatch, "equal width", "method"),
    ({"reembed_limit": 200_000}, errors.InvalidArgument, "at most 100,000", "reembed_limit"),
]


@pytest.mark.parametrize(("options", "error", "message", "field"), BAD)
async def test_bad_input(bench, options, error, message, field):
    with pytest.raises(error, match=message) as refused:
        await evaluate(bench, **options)
    assert field is None or refused.value.field == field


async def test_a_bridge_and_a_method_are_one_too_many(bench):
    with pytest.raises(errors.InvalidArgument, match="one of them"):
        await bench.upgrades.evaluate(CALL, UpgradeQuery(SpaceQuery("old"), SpaceQuery("rotated"), bridge="up", method="ridge"))


async def test_a_handful_of_items_has_no_neighbours(bench):
    bench.space("tiny", ROTATED[:15], IDS[:15])
    with pytest.raises(errors.TooFewItems, match="15 items in common"):
        await evaluate(bench, "tiny")


async def test_it_stops_when_nobody_waits(bench):
    call = Call("evaluate_upgrade")
    call.control.cancel()
    with pytest.raises(errors.Cancelled):
        await bench.upgrades.evaluate(call, UpgradeQuery(SpaceQuery("old"), SpaceQuery("rotated"), method="procrustes"))


async def test_translated_and_native_vectors_in_one_gallery_are_refused(bench):
    sources = {item: "native" if row % 5 else "translated" for row, item in enumerate(IDS)}
    bench.store.attributes = lambda space, _version, ids: (
        {"embedding_source": AttributeColumn("string", tuple(sources[item] for item in ids))} if space == "old" else {}
    )
    bench.store.get("old").attributes["embedding_source"] = "string"
    with pytest.raises(errors.InvalidAttribute, match=r"2 sources .*'native' \(480\), 'translated' \(120\)") as refused:
        await evaluate(bench)
    assert refused.value.field == "old"
    sources.update(dict.fromkeys(IDS, "native"))
    assert (await evaluate(bench)).verdict == "bridge"


async def test_an_unmarked_mixture_is_told(bench):
    mixed = ROTATED.copy()
    mixed[:150] /= np.linalg.norm(mixed[:150], axis=1, keepdims=True)
    bench.space("mixed", mixed)
    report = await evaluate(bench, "mixed")
    assert "150 of 600 vectors of 'mixed' are of unit length" in report.notes[0]
    assert not any("unit length" in note for note in (await evaluate(bench)).notes)
