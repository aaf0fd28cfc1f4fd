import threading
from itertools import pairwise

import pytest
from prometheus_client.parser import text_string_to_metric_families

from consilience_server.adapters.prometheus_metrics import SECONDS_BUCKETS, PrometheusMetrics
from consilience_server.adapters.prometheus_rpc_metrics import PrometheusRpcMetrics
from consilience_server.app.ports import Metrics

# The contract: name -> (type, labels). What DESIGN's table has, plus `consilience_ready`.
CONTRACT = {
    "consilience_stage_seconds": ("histogram", {"stage", "operation"}),
    "consilience_cache_requests": ("counter", {"tier", "outcome"}),
    "consilience_batch_queries": ("histogram", {"backend"}),
    "consilience_certified_rows": ("counter", {"backend"}),
    "consilience_refined_rows": ("counter", {"backend"}),
    "consilience_spaces": ("gauge", {"kind"}),
    "consilience_store_versions": ("gauge", {"kind"}),
    "consilience_store_bytes": ("gauge", {"kind"}),
    "consilience_memory_bytes": ("gauge", {"kind"}),
    "consilience_operations": ("gauge", {"operation", "state"}),
    "consilience_rejected": ("counter", {"reason"}),
    "consilience_ready": ("gauge", set()),
    "consilience_build_info": ("gauge", {"version"}),
    "consilience_engine_info": ("gauge", {"backend", "blas_kernel", "kernels", "device"}),
    "consilience_kernels_built": ("gauge", set()),
    "grpc_server_started": ("counter", {"grpc_type", "grpc_service", "grpc_method"}),
    "grpc_server_handled": ("counter", {"grpc_type", "grpc_service", "grpc_method", "grpc_code"}),
    "grpc_server_msg_received": ("counter", {"grpc_type", "grpc_service", "grpc_method"}),
    "grpc_server_msg_sent": ("counter", {"grpc_type", "grpc_service", "grpc_method"}),
    "grpc_server_handling_seconds": ("histogram", {"grpc_type", "grpc_service", "grpc_method"}),
}


@pytest.fixture
def metrics() -> PrometheusMetrics:
    return PrometheusMetrics("1.2.3")


def value(metrics: PrometheusMetrics, sample: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(sample, labels)


def exercise(metrics: PrometheusMetrics) -> None:
    metrics.stage("scan", "align", 0.02)
    metrics.cache("redis", "open")
    metrics.batch("faiss-cpu", 12)
    metrics.rows("faiss-cpu", 100, 3)
    metrics.store(spaces=2, versions=5, size=1000)
    metrics.memory("snapshots", 77)
    metrics.operations("align", "running", 1)
    metrics.rejected("overloaded")
    metrics.engine(backend="faiss-cpu", blas_kernel="SkylakeX", kernels="avx2", device="cpu")
    rpc = PrometheusRpcMetrics(metrics.registry)
    rpc.started("unary", "consilience.v1.AlignmentService", "Align")
    rpc.received("unary", "consilience.v1.AlignmentService", "Align")
    rpc.sent("unary", "consilience.v1.AlignmentService", "Align")
    rpc.handled("unary", "consilience.v1.AlignmentService", "Align", "OK", 0.02)


def test_names_types_and_labels_are_the_contract(metrics: PrometheusMetrics) -> None:
    exercise(metrics)
    body, content_type = metrics.exposition("")
    assert content_type.startswith("text/plain")
    exported = {}
    for family in text_string_to_metric_families(body.decode()):
        if family.name.startswith(("consilience_", "grpc_")):
            labels = set().union(*(sample.labels for sample in family.samples)) - {"le"}
            exported[family.name] = (family.type, labels)
    assert exported == CONTRACT


def test_it_implements_the_port(metrics: PrometheusMetrics) -> None:
    port: Metrics = metrics
    methods = {name for name in vars(Metrics) if not name.startswith("_")}
    assert methods == {"stage", "cache", "rows", "batch", "rejected", "memory", "store", "operations"}
    assert all(callable(getattr(port, name)) for name in methods)


def test_values_arrive(metrics: PrometheusMetrics) -> None:
    exercise(metrics)
    metrics.stage("scan", "align", 3.0)
    metrics.operations("align", "running", -1)
    metrics.operations("align", "done", 1)
    assert value(metrics, "consilience_stage_seconds_count", stage="scan", operation="align") == 2
    assert value(metrics, "consilience_stage_seconds_sum", stage="scan", operation="align") == pytest.approx(3.02)
    assert value(metrics, "consilience_stage_seconds_bucket", stage="scan", operation="align", le="0.025") == 1
    assert value(metrics, "consilience_cache_requests_total", tier="redis", outcome="open") == 1
    assert value(metrics, "consilience_certified_rows_total", backend="faiss-cpu") == 100
    assert value(metrics, "consilience_refined_rows_total", backend="faiss-cpu") == 3
    assert value(metrics, "consilience_store_bytes", kind="vectors") == 1000
    assert value(metrics, "consilience_memory_bytes", kind="snapshots") == 77
    assert value(metrics, "consilience_operations", operation="align", state="running") == 0
    assert value(metrics, "consilience_operations", operation="align", state="done") == 1
    assert value(metrics, "consilience_build_info", version="1.2.3") == 1
    assert value(metrics, "consilience_engine_info", backend="faiss-cpu", blas_kernel="SkylakeX", kernels="avx2", device="cpu") == 1
    assert value(metrics, "consilience_kernels_built") == 1


def test_buckets_reach_from_half_a_millisecond_to_a_minute() -> None:
    assert SECONDS_BUCKETS[0] == 0.0005
    assert SECONDS_BUCKETS[-1] == 60.0
    assert all(1.5 < b / a <= 3 for a, b in pairwise(SECONDS_BUCKETS))


def test_counters_that_alerts_watch_stand_at_zero_before_anything_happened(metrics: PrometheusMetrics) -> None:
    assert value(metrics, "consilience_cache_requests_total", tier="redis", outcome="error") == 0
    assert value(metrics, "consilience_cache_requests_total", tier="redis", outcome="open") == 0
    assert value(metrics, "consilience_rejected_total", reason="overloaded") == 0
    assert value(metrics, "consilience_ready") == 0


def test_readiness_is_asked_at_every_scrape(metrics: PrometheusMetrics) -> None:
    state = {"ready": False}
    metrics.ready_when(lambda: state["ready"])
    assert value(metrics, "consilience_ready") == 0
    state["ready"] = True
    assert value(metrics, "consilience_ready") == 1


def test_unforeseen_values_become_other_and_nothing_raises(metrics: PrometheusMetrics) -> None:
    metrics.stage("unheard-of", "align", -1.0)
    metrics.cache("disk", "lost")
    metrics.memory("heap", 1)
    metrics.rows("faiss-cpu", -5, -5)
    metrics.operations("align", "lost", 1)
    metrics.rejected("no spaces\nallowed")
    assert value(metrics, "consilience_stage_seconds_sum", stage="other", operation="align") == 0
    assert value(metrics, "consilience_cache_requests_total", tier="other", outcome="other") == 1
    assert value(metrics, "consilience_memory_bytes", kind="other") == 1
    assert value(metrics, "consilience_certified_rows_total", backend="faiss-cpu") == 0
    assert value(metrics, "consilience_operations", operation="align", state="other") == 1
    assert value(metrics, "consilience_rejected_total", reason="other") == 1


def test_reasons_of_errors_are_labels_in_lower_case(metrics: PrometheusMetrics) -> None:
    metrics.rejected("MEMORY_BUDGET")
    assert value(metrics, "consilience_rejected_total", reason="memory_budget") == 1


def test_a_flood_of_label_values_ends_in_other(metrics: PrometheusMetrics) -> None:
    for index in range(500):
        metrics.stage("scan", f"operation-{index}", 0.1)
        metrics.rejected(f"reason-{index}")
        metrics.batch(f"backend-{index}", 1)
    body = metrics.exposition("")[0].decode()
    assert len({line.split(" ")[0] for line in body.splitlines() if line.startswith("consilience_")}) < 2000
    assert value(metrics, "consilience_stage_seconds_count", stage="scan", operation="other") == 500 - 64


def test_two_servers_in_one_process_do_not_mix() -> None:
    one, two = PrometheusMetrics("1"), PrometheusMetrics("2")
    one.rejected("overloaded")
    assert value(two, "consilience_rejected_total", reason="overloaded") == 0
    assert b'version="1"' not in two.exposition("")[0]


def test_process_metrics_are_there_and_the_format_follows_the_accept_header(metrics: PrometheusMetrics) -> None:
    body, content_type = metrics.exposition("application/openmetrics-text; version=1.0.0")
    assert b"process_resident_memory_bytes" in body
    assert b"python_gc_objects_collected" in body
    assert content_type.startswith("application/openmetrics-text")
    assert body.endswith(b"# EOF\n")
    assert b"_created" not in body


def test_threads_lose_no_count(metrics: PrometheusMetrics) -> None:
    def count() -> None:
        for _ in range(2000):
            metrics.cache("memory", "hit")

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert value(metrics, "consilience_cache_requests_total", tier="memory", outcome="hit") == 8000
