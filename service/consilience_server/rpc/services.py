"""All services on one gRPC server."""

from collections.abc import Callable
from typing import Any

from google.longrunning import operations_pb2_grpc

from consilience.v1 import (
    alignment_pb2_grpc,
    bridge_algebra_pb2_grpc,
    bridge_estimate_pb2_grpc,
    bridge_pb2_grpc,
    classify_pb2_grpc,
    comparison_pb2_grpc,
    estimate_pb2_grpc,
    geometry_pb2_grpc,
    items_pb2_grpc,
    match_pb2_grpc,
    noise_ceiling_pb2_grpc,
    pmi_pb2_grpc,
    server_pb2_grpc,
    space_pb2_grpc,
    upgrade_pb2_grpc,
    watch_pb2_grpc,
)
from consilience_server.app.application import Application
from consilience_server.app.memory_budget import Account
from consilience_server.rpc.alignment_service import AlignmentService
from consilience_server.rpc.bridge_algebra_service import BridgeAlgebraService
from consilience_server.rpc.bridge_estimate_service import BridgeEstimateService
from consilience_server.rpc.bridge_service import BridgeService
from consilience_server.rpc.classification_service import ClassificationService
from consilience_server.rpc.comparison_service import ComparisonService
from consilience_server.rpc.estimate_service import EstimateService
from consilience_server.rpc.execution import Execution
from consilience_server.rpc.geometry_service import GeometryService
from consilience_server.rpc.health import SERVICES, Health
from consilience_server.rpc.item_service import ItemService
from consilience_server.rpc.match_service import MatchService
from consilience_server.rpc.noise_ceiling_service import NoiseCeilingService
from consilience_server.rpc.operations_service import OperationsService
from consilience_server.rpc.pmi_service import PmiService
from consilience_server.rpc.server_service import ServerService
from consilience_server.rpc.space_service import SpaceService
from consilience_server.rpc.upgrade_service import UpgradeService
from consilience_server.rpc.watch_service import WatchService

Registration = tuple[Callable[[Any, Any], None], object]
"""The generated function that adds a servicer, and the servicer."""


def register_services(server: object, application: Application, account: Account, inline_seconds: float) -> Health:
    """Serve the application; returns its health, which says NOT_SERVING until it is told otherwise."""
    execution = Execution(application.operations, inline_seconds, read_only=application.info.read_only)
    alignment = AlignmentService(
        application.alignment,
        application.trends,
        application.consensus,
        application.curves,
        execution,
        account,
        application.info.max_dim,
    )
    ceilings = NoiseCeilingService(application.ceilings, application.reliabilities, execution)
    bridges = BridgeService(application.bridging, application.evaluations, application.exports, execution)
    servicers: tuple[Registration, ...] = (
        (space_pb2_grpc.add_SpaceServiceServicer_to_server, SpaceService(application.spaces)),
        (alignment_pb2_grpc.add_AlignmentServiceServicer_to_server, alignment),
        (comparison_pb2_grpc.add_ComparisonServiceServicer_to_server, ComparisonService(application.comparing, execution)),
        (estimate_pb2_grpc.add_EstimateServiceServicer_to_server, EstimateService(application.estimates, execution)),
        (items_pb2_grpc.add_ItemServiceServicer_to_server, ItemService(application.items)),
        (geometry_pb2_grpc.add_GeometryServiceServicer_to_server, GeometryService(application.geometry)),
        (noise_ceiling_pb2_grpc.add_NoiseCeilingServiceServicer_to_server, ceilings),
        (bridge_pb2_grpc.add_BridgeServiceServicer_to_server, bridges),
        (
            bridge_estimate_pb2_grpc.add_BridgeEstimateServiceServicer_to_server,
            BridgeEstimateService(application.bridge_estimates),
        ),
        (classify_pb2_grpc.add_ClassificationServiceServicer_to_server, ClassificationService(application.classifying, execution)),
        (upgrade_pb2_grpc.add_UpgradeServiceServicer_to_server, UpgradeService(application.upgrades, execution)),
        (bridge_algebra_pb2_grpc.add_BridgeAlgebraServiceServicer_to_server, BridgeAlgebraService(application.derivations, execution)),
        (match_pb2_grpc.add_MatchServiceServicer_to_server, MatchService(application.matching, application.translation, execution)),
        (pmi_pb2_grpc.add_PmiServiceServicer_to_server, PmiService(application.pmi, execution, account)),
        (watch_pb2_grpc.add_WatchServiceServicer_to_server, WatchService(application.watching, execution)),
        (server_pb2_grpc.add_ServerServiceServicer_to_server, ServerService(application.info)),
        (operations_pb2_grpc.add_OperationsServicer_to_server, OperationsService(application.operations)),
    )
    for add, servicer in servicers:
        add(servicer, server)
    health = Health()
    health.register(server)
    return health


def enable_reflection(server: object) -> None:
    """Serve gRPC reflection of everything registered."""
    from grpc_reflection.v1alpha import reflection

    reflection.enable_server_reflection((*SERVICES, "grpc.health.v1.Health", reflection.SERVICE_NAME), server)
