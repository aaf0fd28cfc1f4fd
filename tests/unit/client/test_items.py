"""Item reports from streams, and the commands that print them."""

import numpy as np
import pytest

from consilience._codec.items import join_items, join_versions
from consilience.commands.items import changes, items
from consilience.errors import ServerError
from consilience.v1 import alignment_pb2, items_pb2, matrix_pb2


def matrix(values):
    data = np.asarray(values, dtype="<f8")
    return matrix_pb2.Matrix(data=data.tobytes(), dtype=matrix_pb2.DATA_TYPE_FLOAT64, rows=len(data), columns=1)


def summary(n=3):
    interval = alignment_pb2.Interval(low=0.4, high=0.6, confidence=0.9)
    at_k = alignment_pb2.AlignmentAtK(k=2, score=0.5, chance=0.1, interval=interval)
    lists = items_pb2.ItemLists(
        id="a", overlap=0.5, x_ids=["b", "c"], x_similarities=[0.9, 0.8], y_ids=["c", "d"], y_similarities=[0.7, 0.6]
    )
    part = items_pb2.ItemSlice(value="red, blue", n=3, score=0.5, chance=0.1, interval=interval)
    return items_pb2.ItemAlignment(
        headline=at_k, n=n, gallery=n, x={"name": "spaces/s", "version": 1}, y={"name": "spaces/s", "version": 2}, least=[lists],
        shown=[lists], slices=[part],
    )  # fmt: skip


def item_blocks():
    response = items_pb2.AlignItemsResponse
    return [response(alignment=summary()), response(ids=["a", "b,"], overlaps=matrix([0.5, 1])), response(ids=["c"], overlaps=matrix([0]))]


def version_blocks():
    response = items_pb2.CompareVersionsResponse
    counts = items_pb2.VersionCounts(added=1, removed=0, replaced=1, unchanged=2)
    items_block = response(ids=["a", "b,", "c"], overlaps=matrix([0.5, 1, 0]), replaced=[False, False, True])
    return [response(alignment=summary(), counts=counts), items_block, response(added_ids=["n"])]


def test_blocks_become_one_report():
    report = join_items(item_blocks())
    assert report.ids.tolist() == ["a", "b,", "c"]
    assert report.overlaps.tolist() == [0.5, 1.0, 0.0]
    assert report.shown["a"].shared == ("c",)
    assert report.slices[0].adjusted_p_value is None
    assert (report.confidence, report.k, report.chance) == (0.9, 2, 0.1)
    assert report.to_dict()["slices"][0]["interval"] == {"low": 0.4, "high": 0.6}
    assert repr(report).splitlines()[1:] == ["agree least: a (0.500)", "red, blue: 0.500 [0.400, 0.600] · excess 0.000 · n = 3"]


def test_blocks_of_versions_become_changes():
    report = join_versions(version_blocks())
    assert report.replaced.tolist() == [False, False, True]
    assert (report.added_ids.tolist(), len(report.removed_ids)) == (["n"], 0)
    assert repr(report).startswith("s: version 1 to 2 · 1 added, 0 removed, 1 replaced, 2 unchanged · 0.500 of the 2 nearest kept · n = 3")


@pytest.mark.parametrize("left_out", [0, 1, 2])
def test_a_stream_that_broke_off_is_told(left_out):
    for join, blocks in ((join_items, item_blocks()), (join_versions, version_blocks())):
        with pytest.raises(ServerError, match="stream"):
            join(blocks[:left_out] + blocks[left_out + 1 :])
        with pytest.raises(ServerError, match="no summary"):
            join([])


class Answering:
    """A client that keeps what it was asked."""

    def align_items(self, *arguments, **options):
        self.asked = arguments, options
        return join_items(item_blocks())

    def compare_versions(self, *arguments, **options):
        self.asked = arguments, options
        return join_versions(version_blocks())


def test_the_commands_hand_options_on_and_print_a_table(tmp_path):
    client, ids = Answering(), tmp_path / "ids"
    ids.write_text("a\nc\n")
    told = items(client, "x", "y", k="n/10", slices="label", show_ids=ids, query_ids=ids, table=True)
    assert told.text == 'item_id,overlap\na,0.5\n"b,",1.0\nc,0.0'
    (x, y), options = client.asked
    assert (x, y, options["k"], options["slices"], options["show_ids"], options["query_ids"]) == (
        "x",
        "y",
        "n/10",
        "label",
        ["a", "c"],
        ["a", "c"],
    )
    assert "interval_kind" not in options
    assert items(client, "x", "y").text.startswith("mutual_knn@2 item by item: 0.500")
    assert changes(client, "s", 1, table=True).text.splitlines()[3] == "c,0.0,1"
    assert client.asked[0] == ("s", 1, 0)
    assert changes(client, "s", 1).data["replaced"] == [False, False, True]
