import pytest
from support.bridge_bench import BridgeBench, paired_clouds

from consilience_server.app.alignment_spec import SpaceQuery
from consilience_server.app.call import Call
from consilience_server.app.match_query import MatchQuery
from consilience_server.app.pairs_query import MutualPairsQuery
from consilience_server.app.ports import AttributeColumn
from consilience_server.core import errors

CALL = Call("match")
IDS = [f"i{row:04d}" for row in range(200)]
NATIVE = IDS[::2]


@pytest.fixture
def bench():
    """`y` has native vectors and, in every other row, translated ones."""
    bench = BridgeBench()
    x, y = paired_clouds(width_y=12)
    bench.space("x", x)
    bench.space("y", y)
    sources = {item: "native" if item in NATIVE else "translated" for item in IDS}
    bench.read = 0

    def attributes(space, _version, ids):
        bench.read += 1
        return {"embedding_source": AttributeColumn("string", tuple(sources[item] for item in ids))} if space == "y" else {}

    bench.store.attributes = attributes
    bench.store.get("y").attributes["embedding_source"] = "string"
    return bench


async def match(bench, space="y", **options):
    """The ids of the five best."""
    reports = []

    def encode(report):
        reports.append(report)
        return b""

    await bench.matching.match(CALL, MatchQuery(space=SpaceQuery(space), ids=(IDS[0],), k=5, **options), encode)
    return list(reports[0].ids)


async def test_items_of_several_sources_are_not_ranked_together(bench):
    with pytest.raises(errors.InvalidAttribute, match=r"'native' \(100\), 'translated' \(100\); .* filter") as refused:
        await match(bench)
    assert refused.value.field == "space"
    with pytest.raises(errors.InvalidAttribute, match=r"'translated' \(9\), 'native' \(1\)"):
        await match(bench, gallery_ids=(NATIVE[0], *IDS[1:19:2]))


async def test_one_source_at_a_time_is_served(bench):
    assert set(await match(bench, gallery_ids=tuple(NATIVE))) <= set(NATIVE)
    assert len(await match(bench, space="x")) == 5


async def test_the_marks_of_a_version_are_read_once(bench):
    await match(bench, gallery_ids=tuple(NATIVE))
    before = bench.read
    await match(bench, gallery_ids=tuple(NATIVE[:50]))
    assert bench.read == before


async def test_neither_are_they_paired(bench):
    query = MutualPairsQuery(source=SpaceQuery("x"), target=SpaceQuery("y"))
    with pytest.raises(errors.InvalidAttribute, match="2 sources") as refused:
        await bench.matching.find_mutual_pairs(CALL, query)
    assert refused.value.field == "target"


async def test_an_unmarked_item_is_of_another_source(bench):
    bench.store.attributes = lambda _space, _version, ids: {
        "embedding_source": AttributeColumn("string", tuple(None if item == IDS[1] else "native" for item in ids))
    }
    with pytest.raises(errors.InvalidAttribute, match=r"'native' \(199\), none \(1\)"):
        await match(bench)
    assert IDS[1] not in await match(bench, exclude_ids=(IDS[1],))
