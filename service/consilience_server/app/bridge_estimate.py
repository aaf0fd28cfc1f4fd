"""What a bridge would be worth before it is fitted: what is asked, and what is told."""

from collections.abc import Sequence
from dataclasses import dataclass

from consilience_server.app.alignment_spec import SpaceQuery
from consilience_server.app.fit_query import METHOD_CHOICES
from consilience_server.app.known_pairs import check_pair_ids
from consilience_server.app.reports import SpaceUse
from consilience_server.bridges.artefact import MethodName
from consilience_server.bridges.choose import MethodChoice
from consilience_server.bridges.feasibility import FORECAST_KS, LearningForecast, PairAlignment
from consilience_server.bridges.fit import BASELINES
from consilience_server.core.errors import InvalidArgument, UnknownMethod


@dataclass(frozen=True)
class BridgeEstimateQuery:
    """What to foresee.

    Attributes:
        source, target, method, item_ids, target_ids: as in a fit.
        recall: wished, in (0, 1).
        k: of that recall, 1 or 10.
        seed: of the choice of held-out pairs.
    """

    source: SpaceQuery
    target: SpaceQuery
    method: MethodChoice = "auto"
    item_ids: Sequence[str] = ()
    target_ids: Sequence[str] = ()
    recall: float = 0.9
    k: int = 1
    seed: int = 0

    def asks_for(self, method: MethodName) -> bool:
        """It is the one named, or with `auto` one that learns from pairs."""
        return learns_from_pairs(method) if self.method == "auto" else method == self.method


@dataclass(frozen=True)
class MethodSupport:
    """Pairs that a method needs in the fit at the least, and whether there are as many (four fifths of all are fitted)."""

    method: MethodName
    needed: int
    supported: bool


@dataclass(frozen=True)
class BridgeEstimate:
    """What a fit would find.

    Attributes:
        source, target: the versions read.
        pairs: at hand.
        alignment: on the pairs; None with fewer than a dozen.
        methods: what the pairs support.
        learning: measured and foreseen; None where the pairs are too few for a curve, or the method learns nothing from pairs.
        seconds, peak_bytes: of the fit itself; 0 where the method cannot be fitted on the pairs at hand.
        notes: what it comes to, in plain sentences.
    """

    source: SpaceUse
    target: SpaceUse
    pairs: int
    alignment: PairAlignment | None
    methods: tuple[MethodSupport, ...]
    learning: LearningForecast | None
    seconds: float
    peak_bytes: int
    notes: tuple[str, ...]


def check_bridge_estimate(query: BridgeEstimateQuery) -> None:
    """What can be refused before anything is read: UnknownMethod, InvalidArgument, ShapeMismatch, DuplicateId."""
    if query.method not in METHOD_CHOICES:
        raise UnknownMethod(f"{query.method!r} is no bridge method; choose one of {', '.join(METHOD_CHOICES)}", field="method")
    if not 0 < query.recall < 1:
        raise InvalidArgument(f"the recall wished is {query.recall}; it must be above 0 and below 1", field="recall")
    if query.k not in FORECAST_KS:
        raise InvalidArgument(f"k is {query.k}; recall is foreseen at {' and '.join(map(str, FORECAST_KS))}", field="k")
    check_pair_ids(query.item_ids, query.target_ids)


def learns_from_pairs(method: MethodName) -> bool:
    """More of them may bring more: not of the baselines, and not where no pairs are fitted."""
    return method not in BASELINES and method != "unsupervised"
