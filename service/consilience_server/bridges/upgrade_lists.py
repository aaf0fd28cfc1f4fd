"""What the queries of a changed encoder find, by each way to make the change."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from consilience_server.bridges.apply import centre_gallery, make_ready, map_vectors
from consilience_server.bridges.space_map import SpaceMap
from consilience_server.core.control import Control
from consilience_server.core.similarity import Similarity
from consilience_server.engine.protocol import NeighbourEngine

Strategy = Literal["identity", "mean_shift", "bridge", "keep_old", "reembed"]


@dataclass(frozen=True)
class Upgrade:
    """The same items under two encoders, and the queries under both.

    Attributes:
        old: (n, d_old) float32, the gallery as it is.
        new: (n, d_new) float32, the same items under the new encoder.
        old_queries: (m, d_old) float32.
        new_queries: (m, d_new) float32.
        own: (m,) int64, the gallery row of each query, which it must not find; -1 for none.
        old_similarity: of the old space.
        new_similarity: of the new space.
        ids: (n,) names of the items, for messages.
        query_ids: (m,) names of the queries, for messages.
    """

    old: NDArray[np.float32]
    new: NDArray[np.float32]
    old_queries: NDArray[np.float32]
    new_queries: NDArray[np.float32]
    own: NDArray[np.int64]
    old_similarity: Similarity
    new_similarity: Similarity
    ids: NDArray[np.object_]
    query_ids: NDArray[np.object_]


@dataclass(frozen=True)
class Side:
    """Queries and the gallery that they are searched in, where both meet."""

    queries: NDArray[np.float32]
    gallery: NDArray[np.float32]
    similarity: Similarity


def bridged(upgrade: Upgrade, bridge: SpaceMap, control: Control) -> Side:
    """New queries where they meet the old gallery through a map."""
    ready = make_ready(bridge)
    queries = map_vectors(ready, upgrade.new_queries, control.silent(), upgrade.query_ids)
    return Side(queries, centre_gallery(ready, upgrade.old, control.silent(), upgrade.ids), Similarity.COSINE)


def sides_of(upgrade: Upgrade, maps: Mapping[Strategy, SpaceMap], control: Control) -> dict[Strategy, Side]:
    """Every way there is: those through `maps`, and of spaces of one width the new queries as they are (identity).

    `keep_old` asks with the old encoder in the old gallery, `reembed` with the new one in the gallery as it would be re-embedded.
    """
    sides: dict[Strategy, Side] = {}
    if upgrade.old.shape[1] == upgrade.new.shape[1]:
        sides["identity"] = Side(upgrade.new_queries, upgrade.old, upgrade.old_similarity)
    sides.update({name: bridged(upgrade, bridge, control) for name, bridge in maps.items()})
    sides["keep_old"] = Side(upgrade.old_queries, upgrade.old, upgrade.old_similarity)
    sides["reembed"] = Side(upgrade.new_queries, upgrade.new, upgrade.new_similarity)
    return sides


def found_by(side: Side, own: NDArray[np.int64], depth: int, engine: NeighbourEngine, control: Control) -> NDArray[np.int32]:
    """(m, depth) rows of the nearest, best first, without each query's own row."""
    return engine.query(side.queries, side.gallery, side.similarity, depth, exclude=own, control=control).indices[:, :depth]
