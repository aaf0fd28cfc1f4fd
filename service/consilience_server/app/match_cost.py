"""What a match costs from scratch, roughly: whether it is answered within its call, or becomes an operation."""

from consilience_server.app.approximate_matching import ApproximateMatching
from consilience_server.app.match_query import MatchLimits, MatchQuery
from consilience_server.app.match_route import MatchRoute
from consilience_server.app.snapshots import Snapshots
from consilience_server.bridges.held_out_retrieval import MAX_HELD_OUT_QUERIES


async def match_seconds(
    query: MatchQuery, route: MatchRoute, snapshots: Snapshots, approximate: ApproximateMatching, limits: MatchLimits
) -> float:
    """Seconds at the machine's usual rate: the terms of the correction with the bank's map, then the index or the searches."""
    gallery = await snapshots.record(route.gallery_name, field=route.field)
    rate, scan = limits.flops_per_second, 2.0 * gallery.item_count * gallery.spec.dim
    work = 0.0
    if query.correction != "none" and route.source is not None:
        bank = await snapshots.record(route.source_name, field=route.field)
        # Sums over a bank take three products in float64 rather than one in float32.
        work += scan * bank.item_count * (1 if query.corrected.has_neighbourhoods else 6)
        if route.artefact is not None:
            work += 8.0 * bank.item_count * bank.spec.dim * gallery.spec.dim
    if query.index is not None:
        size = gallery.item_count, gallery.spec.dim
        return work / rate + approximate.estimate_seconds(query.index, route.index_subject(query.corrected), *size, rate)
    searches = 2 if query.corrected.has_neighbourhoods else 1
    work += scan * (searches * query.count + (MAX_HELD_OUT_QUERIES if query.probability else 0))
    return work / rate
