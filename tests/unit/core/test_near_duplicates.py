import numpy as np

from consilience_server.core.control import Control
from consilience_server.core.near_duplicates import kept_items
from consilience_server.core.similarity import Similarity
from consilience_server.engine.choose import make_engine
from consilience_server.engine.near_duplicates import duplicate_pairs


def test_one_item_of_a_chain_stays_and_it_is_the_one_of_smallest_key():
    keys = np.array([5, 3, 9, 1, 0, 7], dtype=np.uint64)
    pairs = np.array([[0, 1], [2, 1], [1, 2], [4, 3]])
    assert kept_items(pairs, keys).tolist() == [1, 4, 5]
    assert kept_items(np.empty((0, 2), dtype=np.int64), keys).tolist() == [0, 1, 2, 3, 4, 5]


def test_clusters_are_those_of_a_plain_search_through_all_cosines():
    draw = np.random.default_rng(0)
    x = np.repeat(draw.normal(size=(40, 6)), draw.integers(1, 30, 40), axis=0)
    x = ((x + 1e-4 * draw.normal(size=x.shape)) * draw.uniform(0.5, 2.0, (len(x), 1))).astype(np.float32)
    n, keys = len(x), draw.integers(0, 2**64, len(x), dtype=np.uint64)
    table = make_engine(1, "cpu").self_join(x, Similarity.COSINE, 16, tie_keys=keys, control=Control())
    unit = x.astype(float) / np.linalg.norm(x.astype(float), axis=1, keepdims=True)
    alike = unit @ unit.T >= 0.9999
    left, kept = set(range(n)), []
    while left:
        cluster, edge = set(), {min(left)}
        while edge:
            cluster |= edge
            edge = {j for i in edge for j in np.flatnonzero(alike[i])} - cluster
        left -= cluster
        kept.append(min(cluster, key=lambda item: keys[item]))
    assert kept_items(duplicate_pairs(table, 0.9999), keys).tolist() == sorted(kept)


def test_equal_directions_are_found_whatever_their_length_and_number():
    draw = np.random.default_rng(1)
    x = np.repeat(draw.normal(size=(3, 5)), 200, axis=0).astype(np.float32)
    scaled = (x * 2.0 ** draw.integers(-3, 4, (600, 1))).astype(np.float32)
    for vectors in (x, scaled):
        table = make_engine(1, "cpu").self_join(vectors, Similarity.COSINE, 16, tie_keys=np.arange(600, dtype=np.uint64), control=Control())
        assert len(kept_items(duplicate_pairs(table, 1.0), np.arange(600, dtype=np.uint64))) == 3
