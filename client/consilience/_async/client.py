"""The asynchronous client: all groups of calls over one connection."""

from consilience._async.alignment import AsyncAlignmentCalls
from consilience._async.bridge_algebra import AsyncBridgeAlgebraCalls
from consilience._async.bridge_estimates import AsyncBridgeEstimateCalls
from consilience._async.bridge_exports import AsyncBridgeExportCalls
from consilience._async.bridges import AsyncBridgeCalls
from consilience._async.classification import AsyncClassificationCalls
from consilience._async.comparing import AsyncComparisonCalls
from consilience._async.convergence import AsyncConvergenceCalls
from consilience._async.cooccurrence import AsyncPmiCalls
from consilience._async.embeddings import AsyncEmbeddingCalls
from consilience._async.estimates import AsyncEstimateCalls
from consilience._async.exporting import AsyncExportCalls
from consilience._async.gallery_curve import AsyncGalleryCurveCalls
from consilience._async.geometry import AsyncGeometryCalls
from consilience._async.items import AsyncItemCalls
from consilience._async.matching import AsyncMatchCalls
from consilience._async.noise_ceilings import AsyncNoiseCeilingCalls
from consilience._async.pairs import AsyncPairCalls
from consilience._async.server import AsyncServerCalls
from consilience._async.translation import AsyncTranslationCalls
from consilience._async.upgrades import AsyncUpgradeCalls
from consilience._async.watching import AsyncWatchCalls


class AsyncClient(
    AsyncEmbeddingCalls,
    AsyncExportCalls,
    AsyncAlignmentCalls,
    AsyncItemCalls,
    AsyncEstimateCalls,
    AsyncGalleryCurveCalls,
    AsyncComparisonCalls,
    AsyncGeometryCalls,
    AsyncNoiseCeilingCalls,
    AsyncConvergenceCalls,
    AsyncPmiCalls,
    AsyncBridgeCalls,
    AsyncBridgeEstimateCalls,
    AsyncBridgeAlgebraCalls,
    AsyncBridgeExportCalls,
    AsyncUpgradeCalls,
    AsyncClassificationCalls,
    AsyncMatchCalls,
    AsyncTranslationCalls,
    AsyncPairCalls,
    AsyncWatchCalls,
    AsyncServerCalls,
):
    """A connection to a Consilience server, or with `AsyncClient.local(path)` to the engine in this process.

    One client serves any number of calls at once; close it, or use it in a `with` block. Calls have a deadline, and are repeated with
    jitter where that is safe: reads, and mutations by their request id. Every error derives from `consilience.ConsilienceError`.

    Args:
        address: `host:port` or `unix:/path`; None takes CONSILIENCE_ADDRESS, then `localhost:50051`.
        api_key: None takes CONSILIENCE_API_KEY; never printed.
        tls: True trusts the system's roots; a path is a PEM file of roots; False is plaintext, and meant so.
        timeout: seconds a call may take where it names no time of its own.
    """
