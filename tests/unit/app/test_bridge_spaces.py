import pytest
from support.bridge_bench import BridgeBench, paired_clouds

from consilience_server.app.bridge_spaces import check_side_width
from consilience_server.app.call import Call
from consilience_server.core import errors

X, Y = paired_clouds()
CALL = Call("get_bridge")


@pytest.fixture
async def bench():
    bench = BridgeBench()
    bench.space("x", X)
    bench.space("y", Y)
    await bench.bridging.fit(Call("fit_bridge"), bench.query(method="procrustes"))
    return bench


def test_vectors_of_another_width_are_refused_with_both_spaces(bench):
    artefact = bench.bridges.get("b")
    check_side_width(artefact, "source", 12)
    check_side_width(artefact, "target", 9)
    with pytest.raises(errors.DimensionMismatch, match=r"'x' of bridge 'b' has dim 12 \(and its target space 'y' dim 9\).*12 columns$"):
        check_side_width(artefact, "source", 5)
    with pytest.raises(errors.DimensionMismatch, match=r"from 'y', fit a bridge.*invert this one"):
        check_side_width(artefact, "source", 9)


async def test_spaces_as_they_were_need_no_word(bench):
    assert (await bench.bridging.get(CALL, "b")).notes == ()


async def test_what_became_of_either_space_is_told(bench):
    bench.store.put("x", ["new"], X[:1])
    bench.store.delete("y")
    moved, gone = (await bench.bridging.get(CALL, "b")).notes
    assert moved == "the source space 'x' is at version 2; the bridge was fitted on 1"
    assert gone.startswith("the target space 'y' was deleted;")
    bench.space("y", Y)
    assert "made anew" in (await bench.bridging.get(CALL, "b")).notes[1]
    assert bench.bridges.get("b").notes == ()
