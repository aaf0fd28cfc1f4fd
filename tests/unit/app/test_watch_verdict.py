from datetime import UTC, datetime

import numpy as np
import pytest

from consilience_server.app.probe_measurement import Measured
from consilience_server.app.reports import SpaceUse
from consilience_server.app.watch_records import BaselineFacts, WatchRecord, WatchSpec
from consilience_server.app.watch_verdict import baseline_facts, baseline_result, check_result
from consilience_server.core import errors
from consilience_server.core.confidence_sequence import check_level

NOW = datetime(2026, 1, 2, tzinfo=UTC)
USES = SpaceUse("spaces/x", "u", 1), SpaceUse("spaces/y", "v", 2)
SPEC = WatchSpec("w", "x", "y", k=5)


def measured(before, now):
    return Measured(np.asarray(before, float), np.asarray(now, float), 1.0, 1000, 1000, (1.0, 1.0), (0.0, 0.0), ())


def record(min_drop=0.02, checks=0, alarm=False):
    facts = BaselineFacts(*USES, 0.5, 300, 1000, min_drop, NOW)
    still = measured(np.full(300, 0.5), np.full(300, 0.5))
    return WatchRecord(SPEC, "uid", NOW, facts, baseline_result(0, still, facts, SPEC), checks, alarm, NOW)


@pytest.mark.parametrize("checks", [0, 30])
def test_the_alarm_is_raised_where_the_upper_bound_lies_below_the_drop(checks):
    draw = np.random.default_rng(0)
    raised = set()
    for drop in np.linspace(0, 0.12, 40):
        before = draw.uniform(0.2, 0.8, 300)
        found = check_result(
            record(checks=checks), measured(before, (before - drop + 0.1 * draw.standard_normal(300)).clip(0, 1)), USES, NOW
        )
        assert found.alarm == (found.difference_high < -0.02)
        assert found.level == check_level(0.05, checks + 1)
        raised.add(found.alarm)
    assert raised == {True, False}


def test_a_raised_alarm_stays_just_as_long_as_the_drop_is_material():
    before = np.full(300, 0.5)
    for now, expected in ((0.479, True), (0.481, False)):
        for alarm in (True, False):
            # So late that nothing this small is proven.
            found = check_result(record(checks=10**12, alarm=alarm), measured(before, np.full(300, now)), USES, NOW)
            assert found.alarm == (alarm and expected)


def test_rounding_leaves_no_dust():
    before, now = np.array([0.1, 0.3] * 150), np.array([0.3, 0.1] * 150)
    assert str(check_result(record(), measured(before, now), USES, NOW).difference) == "0.0"


def test_the_default_drop_is_a_tenth_of_the_score_above_chance():
    scores = np.full(300, 0.6)
    facts = baseline_facts(measured(scores, scores), USES, SPEC, NOW)
    assert facts.min_drop == pytest.approx(0.1 * (0.6 - 5 / 999))


@pytest.mark.parametrize(
    ("scores", "kind"),
    [
        (np.full(300, 5 / 999), errors.InvalidArgument),
        (np.zeros(300), errors.InvalidArgument),
        (np.full(20, 0.6), errors.TooFewItems),
        (np.full(1, 1.0), errors.TooFewItems),
    ],
)
def test_a_baseline_that_cannot_alarm_is_refused(scores, kind):
    with pytest.raises(kind) as refused:
        baseline_facts(measured(scores, scores), USES, SPEC, NOW)
    assert type(refused.value) is kind
