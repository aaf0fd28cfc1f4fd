"""One map of several, each leading into the space that the next starts from."""

from collections.abc import Sequence

from consilience_server.bridges.chain import ChainMap
from consilience_server.bridges.space_map import SpaceMap


def compose(maps: Sequence[SpaceMap]) -> ChainMap:
    """What translating through one map after the other does, `uncentred` but for the last, as one map; chains among them are taken apart.

    Args:
        maps: two or more; all but the last lead into their target, and its width is that of the next one's source.
    """
    parts: list[SpaceMap] = []
    for each in maps:
        parts += each.parts if isinstance(each, ChainMap) else (each,)
    return ChainMap(tuple(parts))
