"""How much memory a search takes: what admission asks before the work, and what the work keeps to."""

from consilience_server.engine.exact_rows import TILE_SCORES
from consilience_server.engine.neighbour_table import table_depth, tail_limit
from consilience_server.engine.scan_form import EXTRA_COLUMNS

_TILE_BYTES = 96 << 20
_TILE_ROWS = 4096
_FIXED = 48 << 20
"""What does not grow: the blocks of the scan's own matrix product, those in which vectors are prepared and candidates scored."""


def tile_limit(d: int, count: int, threads: int) -> int:
    """Queries of one tile, of width `d` with `count` proposals each, when `threads` tiles are under way at once."""
    return max(1, min(_TILE_ROWS, _TILE_BYTES // (threads * _bytes_per_query(d, count))))


def _bytes_per_query(d: int, count: int) -> int:
    # Scan columns, the query in float64 and one temporary of it; per proposal about 12 columns of 8 bytes, the scan's own heap among them.
    return (d + EXTRA_COLUMNS) * (4 + 8 + 8) + count * 96


def search_bytes(m: int, n: int, d: int, k_max: int, threads: int) -> int:
    """Peak bytes of `m` queries against `n` items beyond both, for the worst data: ties everywhere, every row in doubt.

    The scan form, a tile, the table with the largest tails it may keep (twice, while they are put together), and a refinement: the
    grouping of rows, the distinct columns, one tile of bounds with its pairs and one line of items.
    """
    width = d + EXTRA_COLUMNS
    depth = table_depth(k_max, n)
    count = depth + 1 + 64
    form = n * (width * 4 + 12)
    tile = min(m, max(2, threads) * tile_limit(d, count, threads)) * _bytes_per_query(d, count)
    table = m * (depth * 12 + 13 + 8) + 2 * 4 * m * min(n, tail_limit(n)) + 200 * m
    refinement = n * (64 + width * 4) + m * (64 + d * 4) + 53 * max(TILE_SCORES, n) + 64 * n
    return _FIXED + threads * (16 << 20) + form + tile + table + refinement


def native_search_bytes(m: int, n: int, d: int, k_max: int, capacity: int, threads: int, *, self_join: bool) -> int:
    """Peak bytes of a search by the native kernels beyond queries and gallery, for the worst data.

    The int16 copies, the rows' candidates and the table; then, with the candidates gone, what refines rows full of ties.
    """
    depth = table_depth(k_max, n)
    copies = (n + (0 if self_join else m) + 64) * (4 * ((d + 1) // 2) + 36)
    candidates = m * (8 * capacity + 10)
    table = m * (depth * 12 + 13 + 8) + 2 * 4 * m * min(n, tail_limit(n)) + 200 * m
    width = d + EXTRA_COLUMNS
    refinement = n * (12 + 4 * width) + n * (64 + width * 4) + m * (64 + d * 4) + 53 * max(TILE_SCORES, n) + 64 * n
    return _FIXED + threads * (2 << 20) + copies + table + max(candidates, refinement)
