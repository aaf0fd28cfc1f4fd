import datetime as dt
import json

import numpy as np
import pytest

import consilience
from consilience import Operation, TrendReport
from consilience.commands.app import run
from consilience.v1 import alignment_pb2

SPACES = ["a", "b@2", "spaces/c"]


def test_numbers_are_found_by_name(client, script):
    told = client.trend(SPACES, {"c": 3, "a": 1.5, "b": np.float32(2), "unused": 9}, reference="d", k="n/10", seed=7, buckets=2)
    asked = script.last
    assert list(asked.against) == [1.5, 2.0, 3.0]
    assert [ref.version for ref in asked.spaces] == [0, 2, 0]
    assert (asked.reference.name, asked.spec.seed, list(asked.spec.k_fractions), asked.bucket_count) == ("spaces/d", 7, [0.1], 2)
    assert isinstance(told, TrendReport)
    assert (told.spearman, told.interval, told.p_value, told.pearson) == (0.875, (0.5, 0.99), 0.0125, 0.5)
    assert (told.spaces, told.reference.name) == (("a", "b", "c"), "d")
    np.testing.assert_array_equal(told.against, [1.5, 2, 3])
    np.testing.assert_allclose(told.scores, [0, 0.1, 0.2])
    assert told.buckets[0].spaces == ("a", "b", "c")
    assert [round(report.score, 6) for report in told.reports] == [0.0, 0.1, 0.2]
    assert (told.pair_scores, told.across) == (None, None)


def test_without_a_reference_there_are_pairs(client, script):
    told = client.trend(SPACES, [1, 2, 3], families=["x", "x", "y"], scale="log10", buckets=[1.5, 2.5])
    assert not script.last.HasField("reference")
    assert list(script.last.bucket_edges) == [1.5, 2.5]
    assert (list(script.last.families), script.last.scale) == (["x", "x", "y"], alignment_pb2.AGAINST_SCALE_LOG10)
    assert (told.reference, told.reports, told.scale, told.families) == (None, (), "log10", ("x", "x", "y"))
    assert told.pair_scores.shape == (3, 3)


def test_dates_are_days(client, script):
    noon = dt.datetime(1970, 1, 3, 12, tzinfo=dt.UTC)
    client.trend(SPACES, {"a": dt.date(1970, 1, 2), "b": noon, "c": np.datetime64("1971-01-01")})
    assert list(script.last.against) == [1.0, 2.5, 365.0]


def test_the_axis_has_a_name_and_dates_stay_dates(client, script):
    pandas = pytest.importorskip("pandas")
    told = client.trend(SPACES, pandas.Series({"a": 1.5, "b": 2, "c": 3}, name="parameters"))
    assert (told.against_name, told.against_kind, told.against_dates) == ("parameters", "number", None)
    assert list(script.last.against) == [1.5, 2, 3]
    client.trend(SPACES, pandas.Series([4, 5, 6.5]), against_name="loss")
    assert (list(script.last.against), script.last.against_name) == ([4, 5, 6.5], "loss")
    told = client.trend(SPACES, [dt.date(1970, 1, 2), np.datetime64("1970-01-03T12:00"), dt.datetime(1971, 1, 1, tzinfo=dt.UTC)])
    assert (told.against_name, told.against_kind) == ("", "date")
    assert [str(date) for date in told.against_dates] == ["1970-01-02T00:00:00", "1970-01-03T12:00:00", "1971-01-01T00:00:00"]
    with pytest.raises(consilience.InvalidArgumentError, match="string") as refused:
        client.trend(SPACES, [1, 2, 3], against_name=7)
    assert refused.value.field == "against_name"


def test_it_reads_as_a_sentence_and_a_table(client):
    told = client.trend(SPACES, [1, 2, 3], reference="d", families={"a": "x", "b": "y", "c": "y"})
    assert repr(told) == (
        "trend of mutual_knn@10 with d · 3 spaces · spearman 0.875 [0.500, 0.990] (spaces, 95%) · p = .013 (all 24 pairings)"
        " · pearson 0.500 [-0.250, 0.900] · slope 0.002 a unit · n = 100\nnote: few spaces"
    )
    table = told.to_pandas()
    assert list(table.columns)[:4] == ["space", "against", "score", "chance"]
    assert table["family"].tolist() == ["x", "y", "y"]
    assert table["bucket"].tolist() == [0, 0, 0]
    assert json.loads(json.dumps(told.to_dict()))["buckets"][0]["spaces"] == ["a", "b", "c"]
    assert "with the others" in repr(client.trend(SPACES, [1, 2, 3]))


def test_it_can_be_an_operation(client):
    started = client.trend(SPACES, [1, 2, 3], reference="d", wait=False)
    assert isinstance(started, Operation)
    ended = client.wait_operation(started)
    assert isinstance(ended, TrendReport)
    assert len(ended.reports) == 3


@pytest.mark.parametrize(
    ("against", "more", "field", "says"),
    [
        ({"a": 1, "b": 2, "cc": 3}, {}, "against", "nothing for space 'c'; did you mean 'cc'"),
        ([1, 2], {}, "against", "2 values for 3 spaces"),
        ({"a": 1, "b": "2", "c": 3}, {}, "against", "against of space 'b' is '2'"),
        ([1, 2, float("nan")], {}, "against", "finite number or a date"),
        ([1, True, 3], {}, "against", "True"),
        ("abc", {}, "against", "mapping"),
        ([1, 2, 3], {"families": ["x"]}, "families", "1 values for 3"),
        ([1, 2, 3], {"families": [1, 2, 3]}, "families", "string"),
        ([1, 2, 3], {"scale": "log"}, "scale", "linear, log10"),
        ([1, 2, 3], {"buckets": 0}, "buckets", "from 1"),
        ([1, 2, 3], {"buckets": [1, "x"]}, "buckets", "finite numbers"),
        ([1, 2, 3], {"k": [5, 10]}, "k", "whole number"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_it_is(client, script, against, more, field, says):
    with pytest.raises(consilience.InvalidArgumentError, match=says) as refused:
        client.trend(SPACES, against, **more)
    assert refused.value.field == field
    assert script.calls == []


@pytest.fixture
def call(address, capsys):
    def told(*arguments):
        code = run([*arguments, "--address", address])
        return code, *capsys.readouterr()

    return told


def test_the_command_reads_csv_and_json(call, script, tmp_path):
    table = tmp_path / "parameters.csv"
    table.write_text("space,parameters,family\na,1e3,x\nb,2000,x\n\nc,3000,y\n")
    code, out, _ = call("trend", str(table), "--reference", "d", "-k", "5", "--scale", "log10", "--buckets", "2", "--seed", "3")
    assert (code, out[:30]) == (0, "trend of mutual_knn@10 with d ")
    asked = script.last
    assert ([ref.name for ref in asked.spaces], list(asked.against)) == (["spaces/a", "spaces/b", "spaces/c"], [1000, 2000, 3000])
    assert (list(asked.families), list(asked.spec.ks), asked.bucket_count, asked.spec.seed) == (["x", "x", "y"], [5], 2, 3)
    assert asked.against_name == "parameters"
    call("trend", str(table), "--against-name", "weights")
    assert script.last.against_name == "weights"
    table = tmp_path / "dates.json"
    table.write_text('{"a": "1970-01-02", "b": 2, "c": "3"}')
    code, out, _ = call("trend", str(table), "--json")
    assert (code, json.loads(out)["spearman"]) == (0, 0.875)
    assert list(script.last.against) == [1, 2, 3]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.csv", "a,1\na,2\n", "'a' in"),
        ("b.csv", "a,1\nb,2,x\n", "family for 1 of 2"),
        ("c.csv", "a,1\nb,many\n", "'many'"),
        ("d.csv", "a\n", "1 columns"),
        ("e.json", "[1]", "no JSON object"),
        ("f.json", "{", "no JSON"),
    ],
)
def test_a_file_that_cannot_be_read_is_told(call, tmp_path, name, content, says):
    path = tmp_path / name
    path.write_text(content)
    code, _, err = call("trend", str(path))
    assert code != 0
    assert says in err
    assert call("trend", str(tmp_path / "absent.csv"))[0] != 0
