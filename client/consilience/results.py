"""What the clients answer: frozen values that need no server and import no gRPC."""

from consilience._results.alignment_at_k import AlignmentAtK, Interval
from consilience._results.alignment_comparison import AlignmentComparison
from consilience._results.alignment_conditions import Given, SampledItems, Within
from consilience._results.alignment_control import Control, Difference
from consilience._results.alignment_estimate import AlignmentEstimate, Refusal
from consilience._results.alignment_matrix import AlignmentMatrix
from consilience._results.alignment_report import AlignmentReport
from consilience._results.base import CallDetails, Result
from consilience._results.bridge import Bridge, Convergence, LearningPoint, ParentBridge, Recall, RetrievalReport
from consilience._results.bridge_estimate import BridgeEstimate, MethodSupport, PairAlignment
from consilience._results.bridge_evaluation import BridgeEvaluation, StitchingPenalty
from consilience._results.certificate import Certificate
from consilience._results.classification import Classification, ClassificationAccuracy, ClassRecall
from consilience._results.consensus_report import ConsensusReport, ItemAgreement
from consilience._results.gallery_curve import CurveLine, GalleryCurve
from consilience._results.item_report import ItemLists, ItemReport, ItemSlice, VersionChanges
from consilience._results.linear_fit import LinearFit
from consilience._results.match_result import IndexRecall, MatchCalibration, MatchResult
from consilience._results.measured import Measured
from consilience._results.measurement import Measurement
from consilience._results.mutual_pairs import MutualPairs, PairAgreement, PairsSummary
from consilience._results.noise_ceiling import CeilingScore, NoiseCeiling, Reliability
from consilience._results.operation import Operation
from consilience._results.pmi_report import PmiReport
from consilience._results.server_info import EngineInfo, Limits, ServerInfo
from consilience._results.space import DeleteResult, Embeddings, ExportResult, Space, SpaceUse, UpsertResult
from consilience._results.space_description import SpaceDescription
from consilience._results.space_geometry import SpaceGeometry
from consilience._results.stitching_layer import StitchingLayer
from consilience._results.trend_report import FamilyTrend, TrendBucket, TrendReport
from consilience._results.upgrade_report import RegainedPoint, SliceVerdict, UpgradeBridge, UpgradeReport, UpgradeStrategy, UpgradeTest
from consilience._results.watch import ProbeChange, Watch, WatchBaseline, WatchResult
from consilience._results.watch_history import WatchHistory

__all__ = [
    "AlignmentAtK",
    "AlignmentComparison",
    "AlignmentEstimate",
    "AlignmentMatrix",
    "AlignmentReport",
    "Bridge",
    "BridgeEstimate",
    "BridgeEvaluation",
    "CallDetails",
    "CeilingScore",
    "Certificate",
    "ClassRecall",
    "Classification",
    "ClassificationAccuracy",
    "ConsensusReport",
    "Control",
    "Convergence",
    "CurveLine",
    "DeleteResult",
    "Difference",
    "Embeddings",
    "EngineInfo",
    "ExportResult",
    "FamilyTrend",
    "GalleryCurve",
    "Given",
    "IndexRecall",
    "Interval",
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
    "MethodSupport",
    "MutualPairs",
    "NoiseCeiling",
    "Operation",
    "PairAgreement",
    "PairAlignment",
    "PairsSummary",
    "ParentBridge",
    "PmiReport",
    "ProbeChange",
    "Recall",
    "Refusal",
    "RegainedPoint",
    "Reliability",
    "Result",
    "RetrievalReport",
    "SampledItems",
    "ServerInfo",
    "SliceVerdict",
    "Space",
    "SpaceDescription",
    "SpaceGeometry",
    "SpaceUse",
    "StitchingLayer",
    "StitchingPenalty",
    "TrendBucket",
    "TrendReport",
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
]
