"""What deploy/ asks of Prometheus: the queries of the dashboard and of the rules."""

import json
import re
from pathlib import Path

import yaml

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
DASHBOARD = DEPLOY / "grafana" / "dashboards" / "consilience.json"
RULES = DEPLOY / "prometheus" / "rules.yml"

_SUFFIX = re.compile(r"_(bucket|sum|count)$")


def panels() -> list[dict]:
    """All panels that show data, also those inside collapsed rows."""
    dashboard = json.loads(DASHBOARD.read_text())
    nested = [inner for panel in dashboard["panels"] for inner in (panel, *panel.get("panels", []))]
    return [panel for panel in nested if panel["type"] != "row"]


def dashboard_queries() -> list[tuple[str, str]]:
    """(panel title and letter of the query, expression as Grafana has it)."""
    return [(f"{panel['title']} {target['refId']}", target["expr"]) for panel in panels() for target in panel["targets"]]


def rules() -> list[dict]:
    """All recording and alert rules."""
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def all_expressions() -> list[str]:
    return [expression for _, expression in dashboard_queries()] + [rule["expr"] for rule in rules()]


def metric_names(expression: str) -> set[str]:
    """The metrics that an expression reads: recorded names (with colons), and exported families without their histogram suffix."""
    without_labels = re.sub(r"\{[^}]*\}", "", expression)
    names = set(re.findall(r"[a-z_]+:[a-z0-9_]+:[a-z0-9_]+|\b(?:consilience|grpc_server|process|python)_[a-z0-9_]+", without_labels))
    return {_SUFFIX.sub("", name) if ":" not in name else name for name in names}
