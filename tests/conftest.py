"""A skip is a promise that somebody else runs the test: only the reasons in expected_skips.txt are kept, any other fails."""

import re
from collections.abc import Generator
from pathlib import Path

import pytest

EXPECTED = [
    re.compile(line)
    for line in (Path(__file__).parent / "expected_skips.txt").read_text().splitlines()
    if line and not line.startswith("#")
]


def skip_reason(longrepr: object) -> str:
    """The reason as the test gave it, from what a report holds of it: (file, line, "Skipped: reason") or text."""
    text = longrepr[2] if isinstance(longrepr, tuple) else str(longrepr)
    return text.removeprefix("Skipped: ")


def refuse_unexpected_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skip whose reason is not on the list into a failure that says so."""
    if not report.skipped or hasattr(report, "wasxfail"):
        return
    reason = skip_reason(report.longrepr)
    if not any(pattern.match(reason) for pattern in EXPECTED):
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid}: skipped for a reason that tests/expected_skips.txt does not have: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    refuse_unexpected_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    refuse_unexpected_skip(report)
    return report
