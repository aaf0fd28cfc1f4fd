"""What a dry run asks: one of the calls that measure alignment, with what decides its cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from consilience_server.app.alignment_spec import AlignmentSpec, ControlQuery, GroupQuery, SpaceQuery
from consilience_server.app.consensus_query import DEFAULT_RANK
from consilience_server.app.gallery_curve_query import GalleryCurveQuery
from consilience_server.app.reports import ItemPolicy
from consilience_server.app.trend_query import TrendQuery
from consilience_server.core.errors import InvalidArgument
from consilience_server.engine.consensus_coordinates import ConsensusMethod

EstimatedCall = Literal["align", "align_matrix", "trend", "consensus", "gallery_curve", "compare_alignments"]

_PAIRS: dict[EstimatedCall, int] = {"align": 2, "gallery_curve": 2, "compare_alignments": 4}


@dataclass(frozen=True)
class EstimateQuery:
    """One call. What belongs to other calls is not looked at.

    Attributes:
        call: which.
        spaces: x and y; or of both pairs; or all.
        spec: how it is measured.
        items: of a matrix.
        controls, given: of align.
        reference: of a trend.
        sizes: of a gallery curve.
        method, rank: of a consensus.
    """

    call: EstimatedCall
    spaces: Sequence[SpaceQuery | GroupQuery]
    spec: AlignmentSpec
    items: ItemPolicy = "common"
    controls: Sequence[ControlQuery] = ()
    given: SpaceQuery | None = None
    reference: SpaceQuery | None = None
    sizes: tuple[int, ...] = ()
    method: ConsensusMethod = "mean_kernel"
    rank: int = DEFAULT_RANK

    def __post_init__(self) -> None:
        count, takes = len(self.spaces), _PAIRS.get(self.call)
        if count < 2:
            raise InvalidArgument(f"{count} spaces; an alignment is of two or more", field="spaces")
        if takes is not None and count != takes:
            raise InvalidArgument(f"{count} spaces; {self.call} takes {takes}", field="spaces")
        if (self.controls or self.given) and self.call != "align":
            field = "controls" if self.controls else "given"
            raise InvalidArgument(f"{self.call} takes no {field}; ask about align", field=field)

    @property
    def alone(self) -> list[SpaceQuery]:
        """The spaces, where none is a group; InvalidArgument, as every call but align refuses groups."""
        found = [space for space in self.spaces if isinstance(space, SpaceQuery)]
        if len(found) < len(self.spaces):
            raise InvalidArgument(f"{self.call} takes no groups; name their spaces one by one", field="spaces")
        return found

    @property
    def fields(self) -> list[str]:
        """The call's field of each space, of the controls, of the given space and the reference."""
        count = len(self.spaces)
        if self.call in {"align", "gallery_curve"}:
            sides = ["x", "y"]
        elif self.call == "compare_alignments":
            sides = ["first.x", "first.y", "second.x", "second.y"]
        else:
            sides = [f"spaces[{at}]" for at in range(count)]
        beside = [f"controls[{at}].space" for at in range(len(self.controls))]
        return [*sides, *beside, *(["given"] if self.given else []), *(["reference"] if self.has_reference else [])]

    @property
    def asked(self) -> list[SpaceQuery | GroupQuery]:
        """All that is named, in the order of `fields`."""
        beside = [control.space for control in self.controls]
        last = [self.given] if self.given else [self.reference] if self.has_reference and self.reference else []
        return [*self.spaces, *beside, *last]

    @property
    def has_reference(self) -> bool:
        """Whether it is a trend with a reference."""
        return self.call == "trend" and self.reference is not None

    def trend(self) -> TrendQuery:
        """Of numbers that ascend: which they are costs nothing."""
        return TrendQuery(self.alone, tuple(range(len(self.spaces))), self.spec, self.reference)

    def curve(self) -> GalleryCurveQuery:
        """The gallery curve."""
        x, y = self.alone
        return GalleryCurveQuery(x, y, self.spec, self.sizes)
