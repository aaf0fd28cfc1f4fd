"""The standard server metrics of gRPC, by the names that existing dashboards know."""

from prometheus_client import CollectorRegistry, Counter, Histogram

from consilience_server.adapters.prometheus_metrics import SECONDS_BUCKETS

_CALL = ("grpc_type", "grpc_service", "grpc_method")


class PrometheusRpcMetrics:
    """Implements rpc's RpcRecorder: `grpc_server_{started,handled,msg_received,msg_sent}_total`, `grpc_server_handling_seconds`.

    Args:
        registry: of this server.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._started = Counter("grpc_server_started", "RPCs begun on the server.", _CALL, registry=registry)
        self._handled = Counter(
            "grpc_server_handled", "RPCs ended on the server, successful or not.", (*_CALL, "grpc_code"), registry=registry
        )
        self._received = Counter("grpc_server_msg_received", "Messages received of clients.", _CALL, registry=registry)
        self._sent = Counter("grpc_server_msg_sent", "Messages sent to clients.", _CALL, registry=registry)
        self._seconds = Histogram(
            "grpc_server_handling_seconds",
            "Time from the beginning to the end of an RPC.",
            _CALL,
            buckets=SECONDS_BUCKETS,
            registry=registry,
        )

    def started(self, grpc_type: str, service: str, method: str) -> None:
        """An RPC began."""
        self._started.labels(grpc_type, service, method).inc()

    def received(self, grpc_type: str, service: str, method: str) -> None:
        """A message of the client arrived."""
        self._received.labels(grpc_type, service, method).inc()

    def sent(self, grpc_type: str, service: str, method: str) -> None:
        """A message to the client was handed to gRPC."""
        self._sent.labels(grpc_type, service, method).inc()

    def handled(self, grpc_type: str, service: str, method: str, code: str, seconds: float) -> None:
        """An RPC ended with `code`, in gRPC's CamelCase spelling (`OK`, `InvalidArgument`)."""
        self._handled.labels(grpc_type, service, method, code).inc()
        self._seconds.labels(grpc_type, service, method).observe(seconds)
