"""The gauges of watches: one set of samples a watch, gone with it."""

import threading
import time
from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from consilience_server.app.watch_records import WatchRecord

_LABELS = ("watch", "metric")
_GAUGES = {
    "score": "Mean overlap of the probes at the last check.",
    "chance": "What unrelated spaces would score.",
    "excess": "(score - chance) / (1 - chance).",
    "interval_low": "Where the score of all items lies: lower end.",
    "interval_high": "Where the score of all items lies: upper end.",
    "difference": "Mean paired difference of the probes from the baseline; 0 at the baseline.",
    "gallery_items": "Items of the baseline that both spaces still have.",
    "age_seconds": "How long the newest versions have been waiting for their check.",
    "patience_seconds": "How long they may wait before the watch is stale.",
    "coverage_ratio": "Share of the baseline's probes that were compared.",
    "hubness": "Skewness of how often an item is a neighbour, in the space where it is larger.",
    "alarm": "1 while the alignment has dropped, else 0.",
    "failures": "Checks that failed in a row.",
}


class PrometheusWatchGauges(Collector):
    """Implements `WatchGauges` on a registry.

    | name | type | labels |
    |---|---|---|
    | `consilience_watch_score`, `_chance`, `_excess`, `_interval_low`, `_interval_high`, `_difference` | gauge | `watch`, `metric` |
    | `consilience_watch_gallery_items`, `_coverage_ratio`, `_hubness`, `_alarm`, `_failures` | gauge | `watch`, `metric` |
    | `consilience_watch_age_seconds`, `_patience_seconds` | gauge | `watch`, `metric` |

    Ages are counted at the scrape, so that they grow where nobody checks any more. As many series as `max_watches` allows. Thread-safe.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._lock = threading.Lock()
        self._shown: dict[str, tuple[WatchRecord, float]] = {}
        registry.register(self)

    def show(self, record: WatchRecord, fresh_time: float) -> None:
        """Show the last result of a watch."""
        with self._lock:
            self._shown[record.spec.name] = (record, fresh_time)

    def remove(self, name: str) -> None:
        """Show the watch no more."""
        with self._lock:
            self._shown.pop(name, None)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """All families, those without samples too."""
        with self._lock:
            shown = list(self._shown.values())
        now = time.time()
        values = [(record, _values(record, max(0.0, now - fresh_time))) for record, fresh_time in shown]
        for name, told in _GAUGES.items():
            family = GaugeMetricFamily(f"consilience_watch_{name}", told, labels=_LABELS)
            for record, of_record in values:
                family.add_metric((record.spec.name, record.spec.metric), of_record[name])
            yield family


def _values(record: WatchRecord, age: float) -> dict[str, float]:
    last = record.last
    return {
        "score": last.score,
        "chance": last.chance,
        "excess": last.excess,
        "interval_low": last.interval_low,
        "interval_high": last.interval_high,
        "difference": last.difference,
        "gallery_items": last.gallery_items,
        "age_seconds": age,
        "patience_seconds": record.spec.patience_seconds,
        "coverage_ratio": last.coverage,
        "hubness": max(last.hubness_x, last.hubness_y),
        "alarm": float(record.alarm),
        "failures": record.failures,
    }
