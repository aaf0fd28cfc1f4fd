"""Whether a change of encoder can do without re-embedding, decided from measured shares and how well they are known."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from consilience_server.core.retention import Kept

CONFIDENCE = 0.95
"""Two-sided, so that each end is a bound at 97.5%: two strategies may pass, and one of them passes wrongly in at most 5% of decisions."""

_MOST_GROWTH = 2.0**20

Outcome = Literal["passes", "fails", "undecided"]
Verdict = Literal["drop_in", "bridge", "reembed", "keep", "undecided"]


@dataclass(frozen=True)
class ShareTest:
    """One share held against its threshold.

    Attributes:
        measure: for example `recall@10`.
        threshold: what must be kept.
        kept: the share.
        low: end of its 95% interval, which must reach the threshold.
        high: the other end.
        outcome: `fails` needs the upper end of an interval widened for all the tests of the decision to stay below the threshold.
        queries_needed: queries that would decide if the share stayed what it is; 0 where it is decided, None where no number would.
    """

    measure: str
    threshold: float
    kept: float
    low: float
    high: float
    outcome: Outcome
    queries_needed: int | None


def judge_share(measure: str, threshold: float, kept: Kept, queries: int, tests: int) -> ShareTest:
    """Hold a share against a threshold.

    It passes by its own lower end: where all tests must pass, each may be at the full level (Berger, Technometrics 24, 1982). It fails by
    an upper end at 1 - 5% / tests, so that among many slices none fails by chance in more than 5% of decisions.

    Args:
        measure: named in the answer.
        threshold: in (0, 1].
        kept: the share.
        queries: that it was measured on.
        tests: of the decision that a failure of this one settles.
    """
    low, high = kept.limits(CONFIDENCE)
    outcome = _outcome(kept, threshold, tests)
    needed = 0 if outcome != "undecided" else _needed(kept, threshold, queries, tests)
    return ShareTest(measure, threshold, kept.value, low, high, outcome, needed)


def all_of(tests: Sequence[ShareTest]) -> Outcome:
    """A strategy passes where all its tests pass, and fails where one fails."""
    if any(test.outcome == "fails" for test in tests):
        return "fails"
    return "passes" if tests and all(test.outcome == "passes" for test in tests) else "undecided"


def decide(outcomes: Mapping[Any, Outcome], *, enough_pairs: bool, new_is_worse: bool = False) -> Verdict:
    """The verdict from the outcomes of `identity` and `bridge`, those of the two that there are.

    `keep` where by the judgements even full re-embedding finds less than the old encoder; `drop_in` where identity passes; `bridge` where
    the bridge does; `reembed` where both fail. A bridge fitted on too few pairs has not shown what one could do, and one that was not
    fitted shows nothing: then a failure leaves it undecided.
    """
    if new_is_worse:
        return "keep"
    if outcomes.get("identity") == "passes":
        return "drop_in"
    if outcomes.get("bridge") == "passes":
        return "bridge"
    if not enough_pairs or "bridge" not in outcomes or "undecided" in outcomes.values():
        return "undecided"
    return "reembed"


def _outcome(kept: Kept, threshold: float, tests: int) -> Outcome:
    if kept.limits(CONFIDENCE)[0] >= threshold:
        return "passes"
    return "fails" if kept.limits(1.0 - (1.0 - CONFIDENCE) / tests)[1] < threshold else "undecided"


def _needed(kept: Kept, threshold: float, queries: int, tests: int) -> int | None:
    """The least number of queries, within 1%, with which the same share would be decided."""
    if not math.isfinite(kept.value) or math.isclose(kept.value, threshold, rel_tol=1e-9):
        return None

    def decided(growth: float) -> bool:
        return _outcome(kept.of_more(growth), threshold, tests) != "undecided"

    most = 2.0
    while not decided(most):
        most *= 2.0
        if most > _MOST_GROWTH:
            return None
    least = most / 2.0
    while most / least > 1.01:
        middle = math.sqrt(least * most)
        least, most = (least, middle) if decided(middle) else (middle, most)
    return math.ceil(most * queries)
