import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from prometheus_client import CollectorRegistry

from consilience_server.adapters.prometheus_watch_gauges import PrometheusWatchGauges
from consilience_server.app.reports import SpaceUse
from consilience_server.app.watch_records import BaselineFacts, WatchRecord, WatchResult, WatchSpec

NOW = datetime(2026, 1, 2, tzinfo=UTC)
USE = SpaceUse("spaces/x", "u", 1)
RESULT = WatchResult(1, NOW, USE, USE, 0.3, 0.01, 0.29, 0.2, 0.4, 0.5, -0.2, -0.3, -0.1, 0.025, True, 100, 0.9,
                     500, 600, 0.7, 1.0, -0.5, 2.0, (), "1", 0.02)  # fmt: skip
RECORD = WatchRecord(WatchSpec("w", "x", "y"), "uid", NOW, BaselineFacts(USE, USE, 0.5, 100, 500, 0.02, NOW), RESULT, 1, True, NOW, None, 2)
DESIGNED = "score chance excess interval_low interval_high gallery_items age_seconds coverage_ratio hubness"


@pytest.fixture
def registry():
    return CollectorRegistry()


def value(registry, name, watch="w"):
    return registry.get_sample_value(f"consilience_watch_{name}", {"watch": watch, "metric": "mutual_knn"})


def test_a_watch_is_shown_with_all_its_numbers(registry):
    gauges = PrometheusWatchGauges(registry)
    gauges.show(RECORD, time.time() - 50)
    expected = {"score": 0.3, "chance": 0.01, "excess": 0.29, "interval_low": 0.2, "interval_high": 0.4, "gallery_items": 500,
                "patience_seconds": 600.0, "coverage_ratio": 0.9, "hubness": 2.0, "difference": -0.2,
                "alarm": 1.0, "failures": 2.0}  # fmt: skip
    assert {name: value(registry, name) for name in expected} == expected
    assert value(registry, "age_seconds") == pytest.approx(50, abs=5)
    assert {family.name for family in registry.collect()} == {f"consilience_watch_{name}" for name in [*expected, "age_seconds"]}
    assert set(DESIGNED.split()) <= {*expected, "age_seconds"}


def test_age_grows_where_nobody_tells_of_it_and_is_never_below_zero(registry):
    gauges = PrometheusWatchGauges(registry)
    gauges.show(RECORD, time.time() + 100)
    assert value(registry, "age_seconds") == 0.0
    gauges.show(RECORD, time.time())
    first = value(registry, "age_seconds")
    time.sleep(0.01)
    assert value(registry, "age_seconds") > first


def test_a_watch_that_is_gone_leaves_no_series(registry):
    gauges = PrometheusWatchGauges(registry)
    gauges.show(RECORD, 0.0)
    gauges.show(replace(RECORD, spec=WatchSpec("v", "x", "y")), 0.0)
    gauges.remove("w")
    gauges.remove("never")
    assert value(registry, "score") is None
    assert value(registry, "score", "v") == 0.3
