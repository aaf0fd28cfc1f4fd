"""What is asked of mutual pairs, what of it can be refused before anything is read, and the tokens that continue a broken answer."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from consilience_server.app.alignment_spec import SpaceQuery
from consilience_server.app.correction import Correction, CorrectionName, check_correction
from consilience_server.app.known_pairs import check_pair_ids
from consilience_server.app.match_query import MatchLimits
from consilience_server.app.pages import decode_token, encode_token
from consilience_server.app.reports import SpaceUse
from consilience_server.core.errors import InvalidArgument, InvalidPageToken, NotServed, UnknownMethod, VersionExpired
from consilience_server.core.pair_modes import PAIR_MODES, PairMode
from consilience_server.core.pair_scores import DEFAULT_NEIGHBOURHOODS, PAIR_CORRECTIONS


@dataclass(frozen=True)
class KnownPartners:
    """Which pairs are known to be right: by ids, or by an attribute whose equal values are the same thing.

    Attributes:
        item_ids: of the source.
        target_ids: their partners; empty: the same ids.
        attribute: of both spaces, instead of ids.
    """

    item_ids: Sequence[str] = ()
    target_ids: Sequence[str] = ()
    attribute: str = ""


@dataclass(frozen=True)
class MutualPairsQuery:
    """Which two spaces to pair, and how.

    Attributes:
        source: one space.
        target: the other.
        bridge: the bare id of a bridge from `source` into `target`; empty where both have one width and one similarity: compared as they
            are.
        correction: what a pair's score is, `core/pair_scores.py`.
        correction_k: size of the neighbourhoods of the correction; 0 is that of its source: 10 for CSLS, 4 for the margins.
        limit: at most this many pairs, best first; 0 is all.
        mode: which candidates are kept, `core/pair_modes.py`.
        threshold: the least score of a pair, None for any.
        known: pairs that the answer is judged by, None for none.
        resume_token: continues an answer that broke, empty from the beginning.
    """

    source: SpaceQuery
    target: SpaceQuery
    bridge: str = ""
    correction: CorrectionName = "none"
    correction_k: int = 0
    limit: int = 0
    mode: PairMode = "intersect"
    threshold: float | None = None
    known: KnownPartners | None = None
    resume_token: str = ""

    @property
    def corrected(self) -> Correction:
        """The correction with its neighbourhood."""
        return Correction(self.correction, self.correction_k or DEFAULT_NEIGHBOURHOODS.get(self.correction, 0))

    @property
    def _arguments(self) -> str:
        """Everything that decides the answer but the versions."""
        sides = [self.source.name, self.source.version, self.target.name, self.target.version, self.bridge]
        return json.dumps([*sides, *self.corrected.parameters, self.mode, self.threshold, self.limit])

    def token(self, start: int, source: SpaceUse, target: SpaceUse, bridge_uid: str) -> str:
        """Continues this answer at pair `start`, over these versions."""
        place = [start, source.uid, source.version, target.uid, target.version, bridge_uid]
        return encode_token("mutual_pairs", self._arguments, json.dumps(place))

    def resumed(self) -> "tuple[MutualPairsQuery, Place | None]":
        """The query with the versions of its token pinned, and where it goes on; InvalidArgument for a token of other arguments."""
        if not self.resume_token:
            return self, None
        try:
            start, *versions = json.loads(decode_token("mutual_pairs", self._arguments, self.resume_token))
        except InvalidPageToken:
            raise InvalidPageToken(
                "the resume token was not made by this call with these arguments; begin again without one", field="resume_token"
            ) from None
        place = Place(start, *versions)
        source, target = SpaceQuery(self.source.name, place.source_version), SpaceQuery(self.target.name, place.target_version)
        return replace(self, source=source, target=target), place


@dataclass(frozen=True)
class Place:
    """Where an answer goes on, and what it was computed from."""

    start: int
    source_uid: str
    source_version: int
    target_uid: str
    target_version: int
    bridge_uid: str

    def check(self, source_uid: str, target_uid: str, bridge_uid: str) -> None:
        """VersionExpired where a space or the bridge was deleted and made anew since."""
        made_anew = (
            ("source", self.source_uid, source_uid),
            ("target", self.target_uid, target_uid),
            ("bridge", self.bridge_uid, bridge_uid),
        )
        for field, before, now in made_anew:
            if before != now:
                raise VersionExpired(f"the {field} was deleted and made anew since; begin again without the resume token", field=field)


def check_pairs(query: MutualPairsQuery, limits: MatchLimits) -> None:
    """UnknownMethod, NotServed, InvalidK, InvalidArgument, ShapeMismatch, DuplicateId."""
    check_correction(query.corrected, limits.max_k)
    if query.correction not in PAIR_CORRECTIONS:
        raise NotServed(
            f"mutual pairs are not compared by {query.correction}, which scores a pair differently from either side; name one of "
            f"{', '.join(PAIR_CORRECTIONS)}",
            field="correction",
        )
    if query.mode not in PAIR_MODES:
        raise UnknownMethod(f"{query.mode!r} is no mode; choose one of {', '.join(PAIR_MODES)}", field="mode")
    if query.threshold is not None and not math.isfinite(query.threshold):
        raise InvalidArgument(f"threshold is {query.threshold}; give a number, or leave it out for all pairs", field="threshold")
    known = query.known
    if known is None:
        return
    if bool(known.item_ids) == bool(known.attribute):
        raise InvalidArgument("known pairs are told by item_ids or by an attribute, one of them", field="known_pair_ids")
    if known.target_ids and not known.item_ids:
        raise InvalidArgument("known target_ids need the item_ids that they are partners of", field="known_pair_ids")
    check_pair_ids(known.item_ids, known.target_ids, ("known_pair_ids", "known_target_ids"))
