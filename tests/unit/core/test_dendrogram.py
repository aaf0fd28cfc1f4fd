import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import cdist, squareform

from consilience_server.core.dendrogram import leaf_order

POINTS = np.array([0.0, 10.0, 0.1, 20.0, 10.2, 0.3])[:, None]


def test_what_is_near_stands_together():
    assert POINTS[leaf_order(cdist(POINTS, POINTS)), 0].tolist() == [0.0, 0.1, 0.3, 10.0, 10.2, 20.0]


def test_the_leaves_are_those_of_the_average_linkage_tree():
    draw = np.random.default_rng(0)
    distances = cdist(*[draw.random((20, 3))] * 2)
    order = leaf_order(distances)
    assert sorted(order) == list(range(20))
    tree = linkage(squareform(distances, checks=False), method="average")
    for count in (2, 3, 5, 8):
        labels = fcluster(tree, count, criterion="maxclust")[order]
        assert np.count_nonzero(np.diff(labels)) == count - 1


def test_two_leaves_keep_their_order():
    assert leaf_order(np.array([[0.0, 1.0], [1.0, 0.0]])).tolist() == [0, 1]
