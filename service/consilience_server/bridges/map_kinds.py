"""The kinds of map that artefacts are read as. A new kind is a class that is a `SpaceMap`, and a line here."""

from collections.abc import Callable

from consilience_server.bridges.chain import ChainMap, parts_of
from consilience_server.bridges.closed_form import BridgeMap
from consilience_server.bridges.space_map import SpaceMap, Tensors
from consilience_server.bridges.stitching_map import StitchingMap


def read_map(kind: str, tensors: Tensors) -> SpaceMap:
    """The map of that kind; KeyError for a kind that this program does not know."""
    return _READERS[kind](tensors)


def _chain(tensors: Tensors) -> ChainMap:
    return ChainMap(tuple(read_map(kind, of_part) for kind, of_part in parts_of(tensors)))


_READERS: dict[str, Callable[[Tensors], SpaceMap]] = {
    BridgeMap.kind: lambda tensors: BridgeMap(**tensors),
    ChainMap.kind: _chain,
    StitchingMap.kind: lambda tensors: StitchingMap(**tensors),
}
"""By the name that stands in files: never rename one."""
