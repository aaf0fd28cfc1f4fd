"""Watches by both clients and by the command line, against the scripted server."""

import json
import math

import pytest

import consilience
from consilience import Watch
from consilience.commands.app import run


def test_a_watch_is_made_as_asked(client, script):
    made = client.watch("a", "b", "pair", k=5, probes=100, seed=7, min_drop=0.05, alpha=0.01, on_versions=False, every_seconds=60)
    assert (made.name, made.x, made.y, made.state, made.every_seconds) == ("pair", "a", "b", "ok", None)
    spec = script.last.spec
    assert (spec.x, spec.y, spec.k, spec.probes, spec.seed) == ("spaces/a", "spaces/b", 5, 100, 7)
    assert (spec.min_drop, spec.alpha, spec.on_versions, spec.every_seconds) == (0.05, 0.01, False, 60.0)
    assert script.last.request_id
    client.watch("a", "b", "pair")
    spec = script.last.spec
    assert (spec.metric, spec.k, spec.probes, spec.min_drop, spec.alpha, spec.on_versions, spec.every_seconds) == (
        1,
        10,
        4096,
        0,
        0.05,
        True,
        0,
    )


def test_a_baseline_that_becomes_an_operation_is_waited_for(client, script):
    script.operation_steps = 2
    assert client.watch("a", "b", "pair").name == "late"
    assert len(script.seen("WaitOperation")) == 2


def test_watches_are_named_by_themselves(client, script):
    watch = client.get_watch("watches/w")
    assert isinstance(watch, Watch)
    for call in (client.run_watch, client.rebaseline_watch, client.get_watch):
        assert call(watch).name == "w"
    assert client.delete_watch(watch) is None
    assert [found.name for found in client.list_watches()] == ["w", "v"]


def test_history_comes_in_pages_as_far_as_asked(client, script):
    history = client.watch_history("w")
    assert [result.number for result in history] == [5, 4, 3, 2, 1]
    assert (len(history), history[0].number, history.watch, history.metric, history.k) == (5, 5, "w", "mutual_knn", 10)
    assert repr(history).splitlines()[0] == "watch w: mutual_knn@10 · 5 results, the newest first"
    assert history.to_pandas()["number"].tolist() == [5, 4, 3, 2, 1]
    assert json.loads(json.dumps(history.to_dict()))["results"][0]["number"] == 5
    assert [result.number for result in client.watch_history("w", limit=2)] == [5, 4]
    with pytest.raises(consilience.InvalidArgumentError) as refused:
        client.watch_history("w", limit=0)
    assert refused.value.field == "limit"


BAD = {
    "k": [0, 2.5, "x"],
    "probes": [0, -1, None],
    "seed": [-1, 2**64],
    "min_drop": [0, 1, math.nan, "x"],
    "alpha": [0, 1, math.nan, None],
    "every_seconds": [0, -1, math.nan, "x"],
    "metric": ["magic", None],
}


@pytest.mark.parametrize("field", BAD)
def test_what_cannot_be_is_refused_before_it_is_sent(client, script, field):
    for value in BAD[field]:
        with pytest.raises(consilience.InvalidArgumentError) as refused:
            client.watch("a", "b", "pair", **{field: value})
        assert (refused.value.field, script.calls) == (field, []), value


def test_a_version_of_a_space_cannot_be_watched(client, script):
    with pytest.raises(consilience.InvalidArgumentError, match="not of a version"):
        client.watch("a@3", "b", "pair")
    assert script.calls == []


def test_a_watch_tells_itself_in_a_line(client, script):
    assert repr(client.get_watch("w")) == (
        "watch w: a@1 and b@2 · OK · mutual_knn@10 = 0.300 · -0.200 from the baseline, -0.150 at most · alarms beyond -0.050 · "
        "4,096 probes · 3 checks · false alarms a year <= 0.013"
    )
    script.alarm = True
    watch = client.get_watch("w")
    assert "· ALARM ·" in repr(watch)
    assert repr(watch.last_result) == (
        "#3 a@1 and b@2: 0.300 [0.250, 0.350] · -0.200 from the baseline [-0.250, -0.150] · neighbours kept 100% in a, 25% in b · ALARM"
    )
    assert watch.last_result.fallen[0].y_now == ("r",)
    told = json.loads(json.dumps(watch.to_dict()))
    assert told["last_result"]["fallen"][0]["item_id"] == "p"
    assert watch.last_result.to_pandas().to_dict("records") == [{"item_id": "p", "baseline_overlap": 0.5, "overlap": 0.25}]


def test_history_is_drawn_with_its_alarms_and_bounds():
    use = consilience.SpaceUse("a", "u", 1), consilience.SpaceUse("b", "v", 2)

    def result(number, score, difference, alarm, level=0.01):
        return consilience.WatchResult(
            number, None, *use, score, 0.01, score, consilience.Interval(score - 0.01, score + 0.01), 0.5, difference, difference - 0.05,
            difference + 0.05, level, alarm, 100, 1.0, 500, 500, 1.0, 1.0, 0.0, 0.0, min_drop=0.04,
        )  # fmt: skip

    results = (result(2, 0.3, -0.2, True), result(1, 0.49, -0.01, False), result(0, 0.5, 0.0, False, level=0.0))
    above, below = consilience.WatchHistory("w", "mutual_knn", 10, results).plot().axes
    labels = [text.get_text() for text in above.get_legend().get_texts()]
    assert labels == ["baseline, same items", "no alarm", "alarm", "taken as the baseline"]
    offsets = {tuple(point) for drawn in below.collections for point in drawn.get_offsets().tolist()}
    assert offsets == {(0.0, 0.0), (1.0, -0.01), (2.0, -0.2)}
    spans = [tuple(line.get_ydata()) for line in below.lines if list(line.get_xdata()) == [2, 2]]
    assert spans == [(pytest.approx(-0.25), pytest.approx(-0.15))]
    assert consilience.WatchHistory("w", "mutual_knn", 10, ()).figures() == {}


class TestTheCommandLine:
    @pytest.fixture
    def call(self, address, capsys):
        def told(*arguments):
            code = run(["watch", *arguments, "--address", address])
            return code, capsys.readouterr().out

        return told

    def test_creating(self, call, script):
        code, out = call("create", "a", "b", "pair", "-k", "5", "--min-drop", ".1", "--every", "60", "--no-on-versions")
        assert (code, out[:14]) == (0, "watch pair: a@")
        spec = script.last.spec
        assert (spec.k, spec.min_drop, spec.every_seconds, spec.on_versions) == (5, 0.1, 60.0, False)

    @pytest.mark.parametrize("command", [["list"], ["show", "w"], ["run", "w"]])
    def test_an_alarm_has_an_exit_code_of_its_own(self, call, script, command):
        assert call(*command)[0] == 0
        script.alarm = True
        code, out = call(*command)
        assert (code, "ALARM" in out) == (6, True)
        code, out = call(*command, "--json")
        assert code == 6
        assert json.loads(out)

    def test_the_rest(self, call):
        code, out = call("show", "w")
        assert "p\t0.50 -> 0.25" in out
        code, out = call("history", "w", "--limit", "2", "--json")
        assert (code, [result["number"] for result in json.loads(out)["results"]]) == (0, [5, 4])
        assert call("rebaseline", "w")[0] == 0
        assert call("delete", "w") == (0, "watch w is deleted\n")
