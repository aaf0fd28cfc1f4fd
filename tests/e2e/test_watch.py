"""A watch as its users meet it: a server that is written to, drifts, restarts, and tells by SDK, command line and /metrics."""

import json
import re
import time
import urllib.request

import numpy as np
import pytest
from support.server_process import running_server

from consilience import Client, FailedPreconditionError, NotFoundError
from consilience.commands.app import run

N = 400
IDS = [f"item-{row:04d}" for row in range(N)]
SECONDS = 20.0


def gauges(server):
    """{(name, watch): value} of all gauges of watches."""
    with urllib.request.urlopen(server.metrics_url, timeout=5) as answer:
        found = re.findall(r'^consilience_watch_(\w+)\{metric="mutual_knn",watch="([\w-]+)"\} (\S+)$', answer.read().decode(), re.MULTILINE)
    return {(name, watch): float(value) for name, watch, value in found}


def until(condition):
    """What the condition answers once it is true."""
    end = time.monotonic() + SECONDS
    while not (found := condition()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return found


def checked(client, count):
    """The watch after so many checks."""

    def look():
        watch = client.get_watch("pair")
        return watch if watch.checks >= count else None

    return until(look)


@pytest.fixture
def command(capsys):
    """The command line: (exit code, what it printed)."""

    def call(server, *arguments):
        capsys.readouterr()
        code = run(["watch", *arguments, "--address", server.address])
        return code, capsys.readouterr().out

    return call


@pytest.mark.timeout(120)
def test_a_drift_is_told_everywhere_and_survives_a_restart(tmp_path, command):
    draw = np.random.default_rng(0)
    latent = draw.standard_normal((2 * N, 6))
    vectors = {name: np.float32(latent @ draw.standard_normal((6, 16)) + 0.5 * draw.standard_normal((2 * N, 16))) for name in "xy"}
    with running_server(tmp_path / "data", "--threads", "1") as server, Client(server.address) as client:
        for name in "xy":
            client.create_space(name, dim=16)
            client.upsert(name, IDS, vectors[name][:N])
        made = client.watch("x", "y", "pair", k=5)
        report = client.align("x", "y", k=5, permutations=0)
        assert made.last_result.score == pytest.approx(report.score, rel=1e-12)
        assert made.last_result.chance == report.chance
        assert gauges(server)["score", "pair"] == made.last_result.score
        # A version with more items, checked without being asked for: nothing of the baseline moved.
        client.upsert("y", [f"new-{row:04d}" for row in range(N)], vectors["y"][N:])
        grown = checked(client, 1)
        assert (grown.state, grown.last_result.difference, grown.last_result.gallery_items) == ("ok", 0.0, N)
        assert command(server, "run", "pair")[0] == 0
        # A version of other vectors for a quarter of the items: an alarm.
        client.upsert("y", IDS[::4], -vectors["y"][:N:4])
        alarmed = checked(client, 2)
        assert alarmed.alarm
        assert alarmed.state == "alarm"
        assert alarmed.last_result.kept_x == 1.0
        assert alarmed.last_result.kept_y < 0.9
        assert set(IDS[::4]) & {change.item_id for change in alarmed.last_result.fallen}
        shown = until(lambda: (found := gauges(server))["alarm", "pair"] and found)
        assert shown["difference", "pair"] == alarmed.last_result.difference
        code, told = command(server, "show", "pair", "--json")
        assert code == 6
        assert json.loads(told)["alarm"] is True
    with running_server(tmp_path / "data", "--threads", "1") as server, Client(server.address) as client:
        assert client.get_watch("pair").last_result == alarmed.last_result
        assert until(lambda: gauges(server).get(("alarm", "pair"))) == 1.0
        assert [result.number for result in client.watch_history("pair")] == [2, 1, 0]
        accepted = client.rebaseline_watch("pair")
        assert (accepted.state, accepted.checks, accepted.last_result.number) == ("ok", 0, 3)
        client.delete_embeddings("x", IDS[:300])
        failed = until(lambda: (found := client.get_watch("pair")).state == "failed" and found)
        assert failed.reason == "BASELINE_LOST"
        with pytest.raises(FailedPreconditionError, match="new baseline"):
            client.run_watch("pair")
        code, told = command(server, "delete", "pair")
        assert (code, "deleted" in told) == (0, True)
        assert gauges(server) == {}
        with pytest.raises(NotFoundError) as gone:
            client.get_watch("pair")
        assert gone.value.reason == "WATCH_NOT_FOUND"
