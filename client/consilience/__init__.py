"""Consilience: measure how far embedding spaces agree, bridge them, and match items across them.

`Client` and `AsyncClient` speak to a server, `Client.local(path)` runs the same engine in this process, `align_arrays` compares two
arrays without either. Everything public is here; names load what they need when they are first used, so that importing stays cheap.
"""

import importlib
from typing import TYPE_CHECKING, Any

from consilience._version import __version__

if TYPE_CHECKING:
    from consilience import errors, results
    from consilience._alignment_options import AlignmentOptions
    from consilience._arrays import align_arrays
    from consilience._async.client import AsyncClient
    from consilience._async.writer import AsyncWriter
    from consilience._report_page import write_report
    from consilience._settings import Tls
    from consilience._sync.client import Client
    from consilience._sync.writer import Writer
    from consilience.errors import (
        AbortedError,
        AlreadyExistsError,
        CancelledError,
        ConsilienceError,
        FailedPreconditionError,
        InvalidArgumentError,
        MissingExtraError,
        NotFoundError,
        OverloadedError,
        PermissionDeniedError,
        RequestError,
        ServerError,
        Timeout,
        TransportError,
        UnauthenticatedError,
        Unavailable,
        UnimplementedError,
    )
    from consilience.results import (
        AlignmentAtK,
        AlignmentComparison,
        AlignmentEstimate,
        AlignmentMatrix,
        AlignmentReport,
        Bridge,
        BridgeEvaluation,
        CallDetails,
        CeilingScore,
        Certificate,
        Classification,
        ClassificationAccuracy,
        ClassRecall,
        ConsensusReport,
        Control,
        Convergence,
        CurveLine,
        DeleteResult,
        Difference,
        Embeddings,
        EngineInfo,
        ExportResult,
        FamilyTrend,
        GalleryCurve,
        Given,
        IndexRecall,
        Interval,
        ItemAgreement,
        ItemLists,
        ItemReport,
        ItemSlice,
        LearningPoint,
        Limits,
        LinearFit,
        MatchCalibration,
        MatchResult,
        Measured,
        Measurement,
        MutualPairs,
        NoiseCeiling,
        Operation,
        PairAgreement,
        PairsSummary,
        ParentBridge,
        PmiReport,
        ProbeChange,
        Recall,
        Refusal,
        RegainedPoint,
        Reliability,
        Result,
        RetrievalReport,
        SampledItems,
        ServerInfo,
        SliceVerdict,
        Space,
        SpaceDescription,
        SpaceGeometry,
        SpaceUse,
        StitchingPenalty,
        TrendBucket,
        TrendReport,
        UpgradeBridge,
        UpgradeReport,
        UpgradeStrategy,
        UpgradeTest,
        UpsertResult,
        VersionChanges,
        Watch,
        WatchBaseline,
        WatchHistory,
        WatchResult,
        Within,
    )

__all__ = [
    "AbortedError",
    "AlignmentAtK",
    "AlignmentComparison",
    "AlignmentEstimate",
    "AlignmentMatrix",
    "AlignmentOptions",
    "AlignmentReport",
    "AlreadyExistsError",
    "AsyncClient",
    "AsyncWriter",
    "Bridge",
    "BridgeEvaluation",
    "CallDetails",
    "CancelledError",
    "CeilingScore",
    "Certificate",
    "ClassRecall",
    "Classification",
    "ClassificationAccuracy",
    "Client",
    "ConsensusReport",
    "ConsilienceError",
    "Control",
    "Convergence",
    "CurveLine",
    "DeleteResult",
    "Difference",
    "Embeddings",
    "EngineInfo",
    "ExportResult",
    "FailedPreconditionError",
    "FamilyTrend",
    "GalleryCurve",
    "Given",
    "IndexRecall",
    "Interval",
    "InvalidArgumentError",
    "ItemAgreement",
    "ItemLists",
    "ItemReport",
    "ItemSlice",
    "LearningPoint",
    "Limits",
    "LinearFit",
    "MatchCalibration",
    "MatchResult",
    "Measured",
    "Measurement",
    "MissingExtraError",
    "MutualPairs",
    "NoiseCeiling",
    "NotFoundError",
    "Operation",
    "OverloadedError",
    "PairAgreement",
    "PairsSummary",
    "ParentBridge",
    "PermissionDeniedError",
    "PmiReport",
    "ProbeChange",
    "Recall",
    "Refusal",
    "RegainedPoint",
    "Reliability",
    "RequestError",
    "Result",
    "RetrievalReport",
    "SampledItems",
    "ServerError",
    "ServerInfo",
    "SliceVerdict",
    "Space",
    "SpaceDescription",
    "SpaceGeometry",
    "SpaceUse",
    "StitchingPenalty",
    "Timeout",
    "Tls",
    "TransportError",
    "TrendBucket",
    "TrendReport",
    "UnauthenticatedError",
    "Unavailable",
    "UnimplementedError",
    "UpgradeBridge",
    "UpgradeReport",
    "UpgradeStrategy",
    "UpgradeTest",
    "UpsertResult",
    "VersionChanges",
    "Watch",
    "WatchBaseline",
    "WatchHistory",
    "WatchResult",
    "Within",
    "Writer",
    "__version__",
    "align_arrays",
    "errors",
    "results",
    "write_report",
]

_HOMES = {
    "AlignmentOptions": "consilience._alignment_options",
    "AsyncClient": "consilience._async.client",
    "AsyncWriter": "consilience._async.writer",
    "Client": "consilience._sync.client",
    "Tls": "consilience._settings",
    "Writer": "consilience._sync.writer",
    "align_arrays": "consilience._arrays",
    "write_report": "consilience._report_page",
}


def __getattr__(name: str) -> Any:
    """A public name, from where it lives."""
    if name in {"errors", "results"}:
        return importlib.import_module(f"consilience.{name}")
    if name not in __all__:
        raise AttributeError(f"module 'consilience' has no attribute {name!r}")
    home = _HOMES.get(name) or (
        "consilience.errors" if name in importlib.import_module("consilience.errors").__all__ else "consilience.results"
    )
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names."""
    return list(__all__)
