"""Names as callers write them and as the contract does: resources with a pinned version, enums, request ids."""

import re
import reprlib
import uuid
from collections.abc import Collection, Iterable
from typing import Any

from consilience._convert import is_sendable
from consilience._numbers import INT64
from consilience._results.bridge import Bridge
from consilience._results.operation import Operation
from consilience._results.space import Space, SpaceUse
from consilience._results.watch import Watch
from consilience.errors import InvalidArgumentError
from consilience.v1 import (
    alignment_pb2,
    bridge_pb2,
    bridge_stitching_pb2,
    estimate_pb2,
    match_pb2,
    pmi_pb2,
    space_pb2,
    upgrade_pb2,
    watch_pb2,
)

_SPACE = re.compile(r"(?:spaces/)?(?P<name>[^@]+?)(?:@(?P<version>\d+))?")
_GROUP = "groups/"
_REASONS = {"metric": "UNKNOWN_METRIC", "method": "UNKNOWN_METHOD", "correction": "UNKNOWN_METHOD"}


class EnumNames:
    """The names of one enum of the contract, as callers write them: `METRIC_MUTUAL_KNN` is `mutual_knn`.

    Args:
        enum: of the contract.
        field: the argument that takes them.
        not_chosen: names that are answered but that no call takes, or that no server serves yet; refusals do not offer them.
    """

    def __init__(self, enum: Any, field: str, *, not_chosen: Collection[str] = ()) -> None:
        prefix = re.sub(r"(?<!^)(?=[A-Z])", "_", enum.DESCRIPTOR.name).upper() + "_"
        self._field = field
        self._names: dict[int, str] = {number: name.removeprefix(prefix).lower() for name, number in enum.items()}
        self._numbers = {name: number for number, name in self._names.items() if number}
        self._offered = [name for name in self._numbers if name not in not_chosen]

    def to_number(self, name: str) -> Any:
        """The enum's value; InvalidArgumentError lists the names where there is none of this name."""
        number = self._numbers.get(name) if isinstance(name, str) else None
        if number is None:
            known = ", ".join(self._offered)
            reason = _REASONS.get(self._field, "INVALID_ARGUMENT")
            raise InvalidArgumentError(f"{self._field} is {name!r}; it is one of {known}", reason=reason, field=self._field)
        return number

    def to_name(self, number: int) -> str:
        """The name of a value; `unspecified` for zero, `unknown_<number>` for one of a newer contract."""
        return self._names.get(number, f"unknown_{number}")


METRICS = EnumNames(alignment_pb2.Metric, "metric")
PREPROCESS = EnumNames(alignment_pb2.Preprocess, "preprocess")
INTERVAL_KINDS = EnumNames(alignment_pb2.IntervalKind, "interval_kind")
CONSENSUS_METHODS = EnumNames(alignment_pb2.ConsensusMethod, "method")
AGAINST_KINDS = EnumNames(alignment_pb2.AgainstKind, "against_kind")
AGAINST_SCALES = EnumNames(alignment_pb2.AgainstScale, "scale")
QUERY_SAMPLING = EnumNames(alignment_pb2.QuerySampling, "query_sampling")
SIDES = EnumNames(alignment_pb2.Side, "side")
LAYER_SELECTIONS = EnumNames(alignment_pb2.LayerSelection, "layer_selection")
ITEM_POLICIES = EnumNames(alignment_pb2.ItemPolicy, "items")
ESTIMATED_CALLS = EnumNames(estimate_pb2.EstimatedCall, "call")
TARGET_SCORES = EnumNames(alignment_pb2.TargetScore, "target_score")
AGGREGATES = EnumNames(alignment_pb2.Aggregate, "aggregate")
RDM_DISTANCES = EnumNames(alignment_pb2.RdmDistance, "rdm_distance")
RDM_COMPARISONS = EnumNames(alignment_pb2.RdmComparison, "rdm_comparison")
BRIDGE_METHODS = EnumNames(bridge_pb2.BridgeMethod, "method", not_chosen=("composed",))
BRIDGE_SIDES = EnumNames(bridge_pb2.BridgeSide, "side")
BRIDGE_DERIVATIONS = EnumNames(bridge_pb2.BridgeDerivation, "derivation")
STITCHING_ARCHITECTURES = EnumNames(bridge_stitching_pb2.StitchingArchitecture, "architecture")
STITCHING_LOSSES = EnumNames(bridge_stitching_pb2.StitchingLoss, "loss")
CORRECTIONS = EnumNames(match_pb2.Correction, "correction")
PAIR_MODES = EnumNames(match_pb2.PairMode, "mode")
INDEXES = EnumNames(match_pb2.IndexKind, "index")
TRANSLATE_SIDES = EnumNames(match_pb2.TranslateSide, "side")
PMI_FORMS = EnumNames(pmi_pb2.PmiForm, "form")
SIMILARITIES = EnumNames(space_pb2.Similarity, "similarity")
SPACE_KINDS = EnumNames(space_pb2.SpaceKind, "kind")
DISSIMILARITY_KINDS = EnumNames(space_pb2.DissimilarityKind, "dissimilarity_kind")
UPGRADE_VERDICTS = EnumNames(upgrade_pb2.UpgradeVerdict, "verdict")
UPGRADE_STRATEGIES = EnumNames(upgrade_pb2.UpgradeStrategy, "strategy")
UPGRADE_OUTCOMES = EnumNames(upgrade_pb2.UpgradeOutcome, "outcome")
VALUE_TYPES = EnumNames(space_pb2.ValueType, "type")
WATCH_STATES = EnumNames(watch_pb2.WatchState, "state")


def space_ref(space: object, field: str = "space") -> space_pb2.SpaceRef:
    """`clip`, `clip@7` (pins version 7), `spaces/clip`, a Space or a SpaceUse, as the contract names it."""
    fitted = _SPACE.fullmatch(_text(space, field))
    if fitted is None:
        raise InvalidArgumentError(f"{field} is {space!r}; give a space's name, or name@version", reason="INVALID_NAME", field=field)
    version = int(fitted["version"] or 0)
    if version > INT64:
        raise InvalidArgumentError(f"{field} is {space!r}; there is no version {version}", reason="INVALID_NAME", field=field)
    return space_pb2.SpaceRef(name=f"spaces/{fitted['name']}", version=version)


def side_ref(side: object, field: str) -> space_pb2.SpaceRef:
    """A side of an alignment: a space as `space_ref` takes it, or `groups/llama`, all layers of a model."""
    written = str(getattr(side, "name", side))
    if written.startswith(_GROUP):
        return space_pb2.SpaceRef(name=text(written, field, "INVALID_NAME"))
    return space_ref(side, field)


def space_refs(spaces: object, field: str = "spaces") -> list[space_pb2.SpaceRef]:
    """A list of spaces as `space_ref` takes them; a single name is no list."""
    if isinstance(spaces, str | Space | SpaceUse) or not isinstance(spaces, Iterable):
        raise InvalidArgumentError(f"{field} is {spaces!r}; give a list of spaces", field=field)
    return [space_ref(space, f"{field}[{position}]") for position, space in enumerate(spaces)]


def side_refs(sides: object, field: str) -> list[space_pb2.SpaceRef]:
    """A list of sides as `side_ref` takes them."""
    if isinstance(sides, str | Space | SpaceUse) or not isinstance(sides, Iterable):
        raise InvalidArgumentError(f"{field} is {sides!r}; give a list of spaces", field=field)
    return [side_ref(side, f"{field}[{position}]") for position, side in enumerate(sides)]


def space_name(space: object, field: str = "space") -> str:
    """The same where no version can be pinned."""
    ref = space_ref(space, field)
    if ref.version:
        raise InvalidArgumentError(
            f"{field} is {space!r}; this call speaks of the space, not of a version", reason="INVALID_NAME", field=field
        )
    return ref.name


def bridge_name(bridge: object, field: str = "bridge") -> str:
    """`text-to-image`, `bridges/text-to-image` or a Bridge, as the contract names it."""
    return f"bridges/{bare(_text(bridge, field))}"


def expected_bridge(bridge: object, source: object) -> match_pb2.ExpectedBridge | None:
    """What the bridge of a call must be: the very one where a Bridge is given, and one that leads from `source` where that is."""
    uid = bridge.uid if isinstance(bridge, Bridge) else ""
    if not uid and source is None:
        return None
    return match_pb2.ExpectedBridge(uid=uid, source="" if source is None else space_name(source, "source"))


def watch_name(watch: object, field: str = "watch") -> str:
    """`images-texts`, `watches/images-texts` or a Watch, as the contract names it."""
    return f"watches/{bare(_text(watch, field))}"


def operation_name(operation: object) -> str:
    """An Operation or its name, with or without `operations/`."""
    return f"operations/{bare(_text(operation, 'operation'))}"


def bare(name: str) -> str:
    """A resource's name without its collection: `spaces/clip` is `clip`."""
    for collection in ("spaces/", "bridges/", "operations/", "watches/"):
        if name.startswith(collection):
            return name.removeprefix(collection)
    return name


def new_name(name: object, field: str) -> str:
    """The bare name of what is to be made; whether it is well-formed is the server's to say."""
    return bare(_text(name, field))


def text(value: object, field: str, reason: str = "INVALID_ARGUMENT") -> str:
    """A string that can be sent; InvalidArgumentError for anything else, and for halves of a surrogate pair."""
    if not isinstance(value, str):
        raise InvalidArgumentError(
            f"{field} is {reprlib.repr(value)}, of type {type(value).__name__}; give a string", reason=reason, field=field
        )
    if not is_sendable(value):
        raise InvalidArgumentError(
            f"{field} is {value!a}, which holds half a surrogate pair and is no valid text", reason=reason, field=field
        )
    return value


def request_id(given: str | None) -> str:
    """The caller's, or a fresh one; it travels in a header, which takes printable ASCII."""
    if not given:
        return new_request_id()
    if not (text(given, "request_id").isascii() and given.isprintable()):
        raise InvalidArgumentError(f"request_id is {given!a}; give printable ASCII", field="request_id")
    return given


def new_request_id() -> str:
    """A fresh id: makes repeating a mutation safe."""
    return uuid.uuid4().hex


def _text(named: object, field: str) -> str:
    if isinstance(named, Space | Bridge | Operation | Watch):
        return named.name
    written = text(str(named) if isinstance(named, SpaceUse) else named, field, "INVALID_NAME")
    if not written:
        raise InvalidArgumentError(f"{field} is empty; give a name", reason="INVALID_NAME", field=field)
    return written


def execution_mode(*, wait: bool) -> Any:
    """A caller who waits lets the server decide; one who does not asks for an operation."""
    return alignment_pb2.EXECUTION_MODE_UNSPECIFIED if wait else alignment_pb2.EXECUTION_MODE_OPERATION
