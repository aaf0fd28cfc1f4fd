"""promtool's own checks and tests of the rules, and what promtool does not know of them."""

import subprocess

import pytest
import yaml
from support.deployed_queries import DEPLOY, rules
from support.prometheus_server import require

FOLDER = DEPLOY / "prometheus"
TESTS = sorted(path.name for path in FOLDER.glob("*.test.yml"))


def promtool(*arguments: str) -> str:
    ended = subprocess.run([require("promtool"), *arguments], cwd=FOLDER, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_the_configuration_and_its_rules_are_valid() -> None:
    assert "rules found" in promtool("check", "config", "prometheus.yml")
    promtool("check", "rules", "rules.yml")


@pytest.mark.parametrize("name", TESTS)
def test_the_rules_pass_their_tests(name: str) -> None:
    promtool("test", "rules", name)


def test_every_alert_fires_in_some_test() -> None:
    cases = " ".join((FOLDER / name).read_text() for name in TESTS)
    alerts = {rule["alert"] for rule in rules() if "alert" in rule}
    assert {alert for alert in alerts if f'alertname="{alert}"' not in cases} == set()


def test_every_alert_says_how_bad_what_and_why() -> None:
    for rule in rules():
        if "alert" in rule:
            assert rule["labels"]["severity"] in {"page", "ticket"}, rule["alert"]
            assert set(rule["annotations"]) == {"summary", "description"}, rule["alert"]


def test_names_are_unique() -> None:
    names = [rule.get("alert") or rule["record"] for rule in rules()]
    assert len(names) == len(set(names))


def test_prometheus_reads_the_rules() -> None:
    assert yaml.safe_load((FOLDER / "prometheus.yml").read_text())["rule_files"] == ["rules.yml"]
