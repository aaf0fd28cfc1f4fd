"""All use cases together: what bootstrap builds and the edge serves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from consilience_server.app.alignment import Alignment
from consilience_server.app.bridge_derivation import BridgeDerivations
from consilience_server.app.bridge_estimates import BridgeEstimates
from consilience_server.app.bridge_evaluation import BridgeEvaluations
from consilience_server.app.bridge_export import BridgeExports
from consilience_server.app.bridging import Bridging
from consilience_server.app.classifying import Classifying
from consilience_server.app.comparing import Comparing
from consilience_server.app.consensus import Consensus
from consilience_server.app.estimates import Estimates
from consilience_server.app.gallery_curves import GalleryCurves
from consilience_server.app.geometry import Geometry
from consilience_server.app.items import Items
from consilience_server.app.matching import Matching
from consilience_server.app.noise_ceiling import NoiseCeilings
from consilience_server.app.operations import Operations
from consilience_server.app.pmi import PmiSpaces
from consilience_server.app.reliability import Reliabilities
from consilience_server.app.spaces import Spaces
from consilience_server.app.translation import Translation
from consilience_server.app.trend import Trends
from consilience_server.app.upgrading import Upgrades
from consilience_server.app.watching import Watching


@dataclass(frozen=True)
class ServerInfo:
    """What a client must know to configure itself."""

    version: str
    start_time: datetime
    engine_version: str
    backend: str
    device: str
    indexes: Sequence[str]
    blas_kernel: str
    kernels: str
    threads: int
    cache_tiers: Sequence[str]
    read_only: bool
    metrics_url: str
    max_message_bytes: int
    upload_batch_bytes: int
    max_dim: int
    max_k: int
    max_id_bytes: int
    max_items_per_message: int
    memory_budget_bytes: int
    max_permutations: int
    batch_queries: int
    bridge_runtime: str


@dataclass(frozen=True)
class Application:
    """The use cases, wired."""

    spaces: Spaces
    alignment: Alignment
    trends: Trends
    consensus: Consensus
    comparing: Comparing
    pmi: PmiSpaces
    items: Items
    estimates: Estimates
    geometry: Geometry
    curves: GalleryCurves
    ceilings: NoiseCeilings
    reliabilities: Reliabilities
    bridging: Bridging
    bridge_estimates: BridgeEstimates
    evaluations: BridgeEvaluations
    exports: BridgeExports
    upgrades: Upgrades
    derivations: BridgeDerivations
    classifying: Classifying
    matching: Matching
    translation: Translation
    operations: Operations
    watching: Watching
    info: ServerInfo
