"""Controls of an alignment: spaces that see the inputs without understanding them, compared beside it."""

from collections.abc import Sequence
from typing import TypeGuard

from consilience_server.app.alignment_spec import ControlQuery, GroupQuery, Side, SpaceQuery
from consilience_server.app.reports import ControlReport, SpaceUse
from consilience_server.core.differences import difference
from consilience_server.core.errors import InvalidArgument
from consilience_server.core.score import Score
from consilience_server.engine.snapshot import Snapshot

MOST_CONTROLS = 32


def check_controls(x: SpaceQuery | GroupQuery, y: SpaceQuery | GroupQuery, controls: Sequence[ControlQuery]) -> None:
    """InvalidArgument for too many, one named twice, and one that is a side of the alignment itself."""
    if len(controls) > MOST_CONTROLS:
        raise InvalidArgument(f"{len(controls)} controls; at most {MOST_CONTROLS} are served in one call", field="controls")
    for number, control in enumerate(controls):
        field = f"controls[{number}].space"
        if control.space in (x, y):
            raise InvalidArgument(f"{control.space.name!r} is a side of this alignment; a control is another space", field=field)
        if control in controls[:number]:
            raise InvalidArgument(f"the control {control.space.name!r} stands twice; name each once", field=field)


def spaces_asked(
    x: SpaceQuery | GroupQuery, y: SpaceQuery | GroupQuery, controls: Sequence[ControlQuery], given: SpaceQuery | None
) -> tuple[list[SpaceQuery | GroupQuery], list[str]]:
    """x, y, each control and the given space, and the request's field of each."""
    asked = [x, y, *(control.space for control in controls)]
    fields = ["x", "y", *(f"controls[{number}].space" for number in range(len(controls)))]
    return (asked, fields) if given is None else ([*asked, given], [*fields, "given"])


def all_spaces(asked: Sequence[SpaceQuery | GroupQuery]) -> TypeGuard[Sequence[SpaceQuery]]:
    """Whether none is a group."""
    return not any(isinstance(query, GroupQuery) for query in asked)


def control_report(snapshot: Snapshot, in_place_of: Side, by_k: Sequence[Score], of_pair: Sequence[Score], n: int) -> ControlReport:
    """A control's scores beside those of the alignment.

    Args:
        snapshot: of the control.
        in_place_of: the side whose place it takes.
        by_k: its scores with the other side.
        of_pair: the alignment's, for the same k over the same items.
        n: number of these items.
    """
    return ControlReport(
        space=SpaceUse(snapshot.name, snapshot.uid, snapshot.version),
        in_place_of=in_place_of,
        by_k=tuple(by_k),
        differences=tuple(difference(score, control) for score, control in zip(of_pair, by_k, strict=True)),
        dropped=snapshot.n - n,
    )
