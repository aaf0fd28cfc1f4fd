"""grpc.health.v1: one verdict for the server and each of its services."""

from grpc_health.v1 import health, health_pb2, health_pb2_grpc

SERVICES = (
    "consilience.v1.SpaceService",
    "consilience.v1.AlignmentService",
    "consilience.v1.ComparisonService",
    "consilience.v1.ItemService",
    "consilience.v1.EstimateService",
    "consilience.v1.GeometryService",
    "consilience.v1.NoiseCeilingService",
    "consilience.v1.BridgeService",
    "consilience.v1.BridgeEstimateService",
    "consilience.v1.UpgradeService",
    "consilience.v1.BridgeAlgebraService",
    "consilience.v1.ClassificationService",
    "consilience.v1.MatchService",
    "consilience.v1.PmiService",
    "consilience.v1.WatchService",
    "consilience.v1.ServerService",
    "google.longrunning.Operations",
)


class Health:
    """Everything starts NOT_SERVING and follows readiness."""

    def __init__(self) -> None:
        self._servicer = health.aio.HealthServicer()

    def register(self, server: object) -> None:
        """Serve the health protocol."""
        health_pb2_grpc.add_HealthServicer_to_server(self._servicer, server)

    async def follow(self, *, ready: bool) -> None:
        """Tell callers and watchers."""
        status = health_pb2.HealthCheckResponse.SERVING if ready else health_pb2.HealthCheckResponse.NOT_SERVING
        for service in ("", *SERVICES):
            await self._servicer.set(service, status)

    async def leave(self) -> None:
        """NOT_SERVING for good."""
        await self._servicer.enter_graceful_shutdown()
