import pytest

from consilience.v1.space_pb2 import SpaceRef
from consilience_server.app.alignment_spec import GroupQuery, SpaceQuery
from consilience_server.core.errors import InvalidArgument, InvalidName, NotServed
from consilience_server.rpc.convert.names import bridge_id, bridge_name, side_query, space_id, space_name, space_query

LONGEST = "a" + "9" * 62


@pytest.mark.parametrize("bare", ["a", "clip-l14-image", "a--", LONGEST])
def test_names_return(bare):
    assert space_id(space_name(bare), "name") == bare
    assert bridge_id(bridge_name(bare), "name") == bare


BAD = ["", "a", "spaces/", "spaces/A", "spaces/1a", "spaces/-a", "spaces/a_b", "spaces/a/", "spaces/a/b", "/spaces/a", "spaces/a\n",
       " spaces/a", "spaces/" + LONGEST + "x", "bridges/a", "spaces/../a", "spaces/a/layers/", "spaces/a/layers/b/c"]  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_other_forms_are_refused(name):
    with pytest.raises(InvalidName, match=r"spaces/\{space\}") as caught:
        space_id(name, "space.name")
    assert caught.value.field == "space.name"


@pytest.mark.parametrize("name", ["spaces/a", "bridges/A", "bridges/a/layers/b", ""])
def test_other_forms_of_bridges_are_refused(name):
    with pytest.raises(InvalidName, match=r"bridges/\{bridge\}"):
        bridge_id(name, "bridge")


def test_layers_are_named_as_what_is_missing():
    with pytest.raises(NotServed, match="layers"):
        space_id("spaces/a/layers/17", "name")


def test_a_huge_name_makes_no_huge_message():
    with pytest.raises(InvalidName) as caught:
        space_id("x" * 10**6, "name")
    assert len(caught.value.message) < 1000


def test_references():
    assert space_query(SpaceRef(name="spaces/a", version=3), "x") == SpaceQuery("a", 3)
    with pytest.raises(InvalidArgument, match="-1") as caught:
        space_query(SpaceRef(name="spaces/a", version=-1), "x")
    assert caught.value.field == "x.version"
    with pytest.raises(InvalidName) as caught:
        space_query(SpaceRef(), "y")
    assert caught.value.field == "y.name"


def test_no_bridge_stays_no_bridge():
    assert bridge_name("") == ""


def test_a_side_is_a_space_or_a_group():
    assert side_query(SpaceRef(name="spaces/a", version=3), "x") == SpaceQuery("a", 3)
    assert side_query(SpaceRef(name="groups/Llama 3/8B"), "x") == GroupQuery("Llama 3/8B")
    with pytest.raises(InvalidName) as refused:
        side_query(SpaceRef(name="groups/"), "x")
    assert refused.value.field == "x.name"
    with pytest.raises(InvalidArgument, match="pin none"):
        side_query(SpaceRef(name="groups/a", version=2), "y")


@pytest.mark.parametrize("name", ["groups/llama", "spaces/groups/llama"])
def test_a_group_is_no_space(name):
    with pytest.raises(InvalidName, match="'groups/llama' is a group"):
        space_id(name, "name")
