# Generated from _async/client.py by client/unasync.py; edit that file.
"""The synchronous client: all groups of calls over one connection."""

from consilience._sync.alignment import AlignmentCalls
from consilience._sync.bridge_algebra import BridgeAlgebraCalls
from consilience._sync.bridge_estimates import BridgeEstimateCalls
from consilience._sync.bridge_exports import BridgeExportCalls
from consilience._sync.bridges import BridgeCalls
from consilience._sync.classification import ClassificationCalls
from consilience._sync.comparing import ComparisonCalls
from consilience._sync.convergence import ConvergenceCalls
from consilience._sync.cooccurrence import PmiCalls
from consilience._sync.embeddings import EmbeddingCalls
from consilience._sync.estimates import EstimateCalls
from consilience._sync.exporting import ExportCalls
from consilience._sync.gallery_curve import GalleryCurveCalls
from consilience._sync.geometry import GeometryCalls
from consilience._sync.items import ItemCalls
from consilience._sync.matching import MatchCalls
from consilience._sync.noise_ceilings import NoiseCeilingCalls
from consilience._sync.pairs import PairCalls
from consilience._sync.server import ServerCalls
from consilience._sync.translation import TranslationCalls
from consilience._sync.upgrades import UpgradeCalls
from consilience._sync.watching import WatchCalls


class Client(
    EmbeddingCalls,
    ExportCalls,
    AlignmentCalls,
    ItemCalls,
    EstimateCalls,
    GalleryCurveCalls,
    ComparisonCalls,
    GeometryCalls,
    NoiseCeilingCalls,
    ConvergenceCalls,
    PmiCalls,
    BridgeCalls,
    BridgeEstimateCalls,
    BridgeAlgebraCalls,
    BridgeExportCalls,
    UpgradeCalls,
    ClassificationCalls,
    MatchCalls,
    TranslationCalls,
    PairCalls,
    WatchCalls,
    ServerCalls,
):
    """A connection to a Consilience server, or with `Client.local(path)` to the engine in this process.

    One client serves any number of calls at once; close it, or use it in a `with` block. Calls have a deadline, and are repeated with
    jitter where that is safe: reads, and mutations by their request id. Every error derives from `consilience.ConsilienceError`.

    Args:
        address: `host:port` or `unix:/path`; None takes CONSILIENCE_ADDRESS, then `localhost:50051`.
        api_key: None takes CONSILIENCE_API_KEY; never printed.
        tls: True trusts the system's roots; a path is a PEM file of roots; False is plaintext, and meant so.
        timeout: seconds a call may take where it names no time of its own.
    """
