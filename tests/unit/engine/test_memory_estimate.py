from consilience_server.engine.memory_estimate import search_bytes, tile_limit


def test_the_estimate_grows_with_every_size():
    base = search_bytes(10_000, 10_000, 256, 10, 2)
    assert search_bytes(20_000, 10_000, 256, 10, 2) > base
    assert search_bytes(20_000, 20_000, 256, 10, 2) > search_bytes(10_000, 10_000, 256, 10, 2)
    assert search_bytes(1, 20_000, 256, 10, 2) > search_bytes(1, 10_000, 256, 10, 2)
    assert search_bytes(10_000, 10_000, 512, 10, 2) > base
    assert search_bytes(10_000, 10_000, 256, 100, 2) > base


def test_the_estimate_is_a_few_copies_of_the_vectors_and_never_a_matrix_of_scores():
    n, d = 1_000_000, 768
    assert n * d * 4 < search_bytes(n, n, d, 10, 8) < 5 * n * d * 4
    assert search_bytes(n, n, d, 10, 8) < n * n * 4 / 100


def test_a_tile_holds_at_least_one_query():
    assert tile_limit(10**7, 2048, 8) == 1
    assert tile_limit(4, 10, 1) == 4096
