"""Where a match goes: the bridge read, the versions pinned, what does not fit together refused."""

from dataclasses import dataclass

from consilience_server.app.bridge_spaces import check_expected, check_side_width, check_uid, moved_on
from consilience_server.app.call import Call
from consilience_server.app.correction import Correction, check_makes_sense
from consilience_server.app.derived_vectors import DerivedVectors
from consilience_server.app.kernel_matching import check_kernel_query
from consilience_server.app.match_query import MatchQuery
from consilience_server.app.ports import SpaceRecord
from consilience_server.app.reports import SpaceUse
from consilience_server.app.snapshots import Snapshots
from consilience_server.app.validation import check_width
from consilience_server.bridges.artefact import BridgeArtefact
from consilience_server.core.errors import VersionExpired


@dataclass(frozen=True)
class MatchRoute:
    """Where a query goes: versions pinned, bridge read.

    `source` is the space whose items are needed (ids or bank); within a space it is the gallery itself, None where nothing is needed.
    """

    artefact: BridgeArtefact | None
    gallery_name: str
    gallery: SpaceUse
    source_name: str
    source: SpaceUse | None

    @property
    def field(self) -> str:
        """Of the request: what named the spaces."""
        return "space" if self.artefact is None else "bridge"

    @property
    def subject(self) -> tuple[str, ...]:
        """Names the gallery as it is searched."""
        return (self.artefact.uid if self.artefact else "", self.gallery.uid, str(self.gallery.version))

    @property
    def moved(self) -> tuple[str, ...]:
        """What is said of the versions used that are not those of the fit; the bridge leads on all the same."""
        if self.artefact is None:
            return ()
        used = (("source", self.source), ("target", self.gallery))
        return tuple(said for side, use in used if use is not None and (said := moved_on(self.artefact, side, use.version)))

    @property
    def bank(self) -> tuple[str, ...]:
        """Names the items that a correction's terms come from; empty where none were needed."""
        return () if self.source is None else (self.source.uid, str(self.source.version))

    def index_subject(self, correction: Correction) -> tuple[str, ...]:
        """Names what an approximate index holds: the gallery, and under a correction its terms with their bank."""
        return self.subject if correction.name == "none" else (*self.subject, *self.bank, *correction.term)

    @property
    def gallery_version_field(self) -> str:
        """Of the request: what pins the gallery's version."""
        return "space.version" if self.artefact is None else "gallery_version"


async def match_route(call: Call, query: MatchQuery, snapshots: Snapshots, derived: DerivedVectors) -> MatchRoute:
    """Read the bridge, pin the versions, refuse what does not fit together.

    Raises:
        SpaceNotFound, BridgeNotFound, VersionExpired, WrongSpace, KernelSpace: where.
        DimensionMismatch: query vectors of another width.
        InvalidArgument: a correction that the space's similarity has no use for.
    """
    call.remaining()
    if query.space is not None:
        record = await snapshots.record(query.space.name, field="space")
        if record.spec.kernel is not None:
            check_kernel_query(query, query.space.name)
        similarity = record.spec.similarity if record.spec.kernel is None else None
        check_makes_sense(query.corrected, similarity, f"space {query.space.name!r}")
        if query.vectors is not None:
            check_width(query.vectors.shape[1], record.spec.dim, f"space {query.space.name!r}", "vectors")
        use = _pinned(record, query.space.version, "space.version")
        return MatchRoute(None, query.space.name, use, query.space.name, use)
    artefact = await derived.bridge(call, query.bridge)
    check_expected(artefact, query.expected)
    records = {}
    for side, name in (("source", artefact.source_name), ("target", artefact.target_name)):
        records[side] = await snapshots.record(name, field="bridge")
        check_uid(artefact, side, records[side].uid)
    if query.vectors is not None:
        check_side_width(artefact, "source", query.vectors.shape[1])
    needed = query.vectors is None or query.correction != "none" or query.index is not None or query.probability
    return MatchRoute(
        artefact,
        artefact.target_name,
        _pinned(records["target"], query.gallery_version, "gallery_version"),
        artefact.source_name,
        _pinned(records["source"], 0, "bridge") if needed else None,
    )


def check_same(use: SpaceUse, uid: str, field: str) -> None:
    """VersionExpired where the space of the snapshot is not the one whose version was pinned."""
    if uid != use.uid:
        raise VersionExpired(f"{use.name} was deleted and made anew meanwhile; ask again", field=field)


def _pinned(record: SpaceRecord, version: int, field: str) -> SpaceUse:
    if version > record.version:
        raise VersionExpired(f"space {record.spec.name!r} has no version {version}; the newest is {record.version}", field=field)
    return SpaceUse(f"spaces/{record.spec.name}", record.uid, version or record.version)
