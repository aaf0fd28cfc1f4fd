"""What a match searches: queries and gallery brought together, with the terms of the correction, and the probe of an approximate index."""

import asyncio

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.approximate_matching import Probe, own_probe_rows, probe_rows
from consilience_server.app.call import Call
from consilience_server.app.compute import ComputePool
from consilience_server.app.derived_vectors import DerivedVectors
from consilience_server.app.gallery_search import Search
from consilience_server.app.item_terms import ItemTerms, Side, TermSource
from consilience_server.app.match_query import MatchQuery
from consilience_server.app.match_route import MatchRoute
from consilience_server.app.spaces import rows_of
from consilience_server.app.validation import check_vectors
from consilience_server.bridges.apply import ReadyMap, map_vectors
from consilience_server.bridges.artefact import BridgeArtefact
from consilience_server.core.control import Control
from consilience_server.core.similarity import Similarity
from consilience_server.engine.snapshot import Snapshot

_INLINE_VALUES = 1 << 14
"""The check of query vectors with up to this many values runs on the event loop: a thread would take longer to start."""


class MatchSearches:
    """Makes searches of queries.

    Args:
        derived: maps, mapped banks and centred galleries.
        terms: of corrections.
        pool: where queries are mapped.
    """

    def __init__(self, derived: DerivedVectors, terms: TermSource, pool: ComputePool) -> None:
        self._derived = derived
        self._terms = terms
        self._pool = pool

    async def within(self, call: Call, query: MatchQuery, space: Snapshot) -> Search:
        """Raw queries in the space itself; items asked by id are not their own matches."""
        exclude = None
        if query.vectors is None:
            exclude = await asyncio.to_thread(rows_of, space.ids, query.ids, space.name.removeprefix("spaces/"), "ids.ids")
            queries = space.vectors[exclude]
        else:
            queries = np.ascontiguousarray(query.vectors)
            if queries.size <= _INLINE_VALUES:
                check_vectors(queries, space.similarity, None, "vectors")
            else:
                await asyncio.to_thread(check_vectors, queries, space.similarity, None, "vectors")
        terms = await self._terms.within(call, space, query.corrected) if query.correction != "none" else None
        return Search(queries, space.vectors, space.similarity, exclude, terms)

    async def through(self, call: Call, query: MatchQuery, artefact: BridgeArtefact, target: Snapshot, source: Snapshot | None) -> Search:
        """Mapped queries in the centred target space."""
        first = call.part(0.0, 0.2)
        ready = await self._derived.ready_map(first, artefact)
        queries = await self._mapped_queries(first, query, ready, source)
        gallery = await self._derived.gallery(first, artefact, target)
        terms: ItemTerms | None = None
        if query.correction != "none" and source is not None:
            bank = Side(source.uid, source.version, await self._derived.bank(call.part(0.2, 0.5), artefact, source))
            searched = Side(target.uid, target.version, gallery)
            terms = await self._terms.across(call.part(0.5, 1.0), searched, bank, Similarity.COSINE, artefact.uid, query.corrected)
        return Search(queries, gallery, Similarity.COSINE, None, terms)

    async def probe(self, call: Call, query: MatchQuery, route: MatchRoute, search: Search, source: Snapshot | None) -> Probe:
        """Items of the bridge's source space, mapped; within a space its own that the index lacks, which do not match themselves."""
        if route.artefact is not None and source is not None and source.n:
            ready, rows = await self._derived.ready_map(call, route.artefact), probe_rows(source.n)

            def mapped(control: Control) -> tuple[NDArray[np.float32], NDArray[np.int64] | None]:
                return map_vectors(ready, source.vectors[rows], control, source.ids[rows]), None

            return Probe(("source", source.uid, str(source.version)), mapped)
        own = own_probe_rows(len(search.gallery))
        alone = query.k < len(search.gallery)
        return Probe(("own", str(alone)), lambda _: (search.gallery[own], own if alone else None))

    async def _mapped_queries(self, call: Call, query: MatchQuery, ready: ReadyMap, source: Snapshot | None) -> NDArray[np.float32]:
        def compute() -> NDArray[np.float32]:
            if query.vectors is not None:
                vectors, ids = query.vectors, None
                # A map needs a direction, whatever the similarity of the source space.
                check_vectors(vectors, Similarity.COSINE, field="vectors")
            elif source is not None:
                rows = rows_of(source.ids, query.ids, source.name.removeprefix("spaces/"), "ids.ids")
                vectors, ids = source.vectors[rows], source.ids[rows]
            return map_vectors(ready, vectors, call.control, ids)

        return await self._pool.run(call, "load", compute, nbytes=8 * query.count * (ready.source_dim + ready.width))
