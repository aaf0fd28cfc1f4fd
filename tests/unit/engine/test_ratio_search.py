"""The certified search by margin ratio against the definition, on data where candidates of one level are not enough."""

import numpy as np
import pytest

from consilience_server.core.control import Control
from consilience_server.core.exact_score import exact_scores
from consilience_server.core.margin import ratio
from consilience_server.core.neighbours import nearest
from consilience_server.core.similarity import Similarity
from consilience_server.engine.exact_neighbours import ExactNeighbours
from consilience_server.engine.faiss_cpu import FaissCpuScan
from consilience_server.engine.ratio_search import ratio_nearest

ENGINE = ExactNeighbours(FaissCpuScan(1), 1)


def cloud(n, d, seed, shift=0.0):
    return (np.random.default_rng(seed).standard_normal((n, d)) + shift).astype(np.float32)


def check(queries, gallery, k, near, bias, exclude=None):
    scores = exact_scores(queries, gallery, Similarity.COSINE)
    ratios = ratio(scores, near[:, None], bias[None, :])
    if exclude is not None:
        ratios[np.arange(len(queries))[exclude >= 0], exclude[exclude >= 0]] = -np.inf
    rows, best = nearest(ratios, k)
    found = ratio_nearest(ENGINE, queries, gallery, k, near, bias, exclude=exclude, control=Control())
    assert np.array_equal(found.rows, rows)
    assert np.array_equal(found.ratios, best)
    assert np.array_equal(found.similarities, np.take_along_axis(scores, rows, axis=1))
    assert found.certificate.certified_rows + found.certificate.refined_rows == len(queries)
    return found.certificate


@pytest.mark.parametrize("shift", [0.0, 1.0])
@pytest.mark.parametrize("k", [1, 10])
def test_ranks_by_the_ratio(shift, k):
    random = np.random.default_rng(5)
    queries, gallery = cloud(60, 12, 0, shift), cloud(900, 12, 1, shift)
    check(queries, gallery, k, random.uniform(0.4, 0.9, 60), random.uniform(0.3, 0.9, 900))


@pytest.mark.parametrize("low", [-0.9, 0.0])
def test_means_of_zero_and_below_are_clamped(low):
    random = np.random.default_rng(6)
    queries, gallery = cloud(30, 8, 0), cloud(700, 8, 1)
    near, bias = random.uniform(low, 0.2, 30), random.uniform(low, 0.3, 700)
    check(queries, gallery, 5, near, bias)


def test_items_that_the_first_level_ranks_last_are_found():
    # A few items with a tiny mean: by the ratio they come first, by CSLS hundreds stand before them.
    queries, gallery = cloud(20, 6, 0, 2.0), cloud(1500, 6, 1, 2.0)
    bias = np.full(1500, 0.9)
    bias[::300] = -0.9
    certificate = check(queries, gallery, 8, np.full(20, 0.95), bias)
    assert certificate.refined_rows


def test_negative_similarities_everywhere():
    queries, gallery = cloud(10, 6, 0, 3.0), -cloud(400, 6, 1, 3.0)
    random = np.random.default_rng(1)
    check(queries, gallery, 3, random.uniform(0.1, 0.4, 10), random.uniform(0.1, 0.4, 400))


def test_ties_go_by_row_and_no_item_matches_itself():
    gallery = np.repeat(cloud(40, 5, 0, 1.0), 5, axis=0)
    bias = np.repeat(np.random.default_rng(0).uniform(0.3, 0.6, 40), 5)
    own = np.arange(0, 200, 10)
    check(gallery[own], gallery, 12, np.full(20, 0.5), bias, exclude=own)
    check(gallery[own], gallery, 12, np.full(20, 0.5), bias, exclude=np.where(own % 20 == 0, own, -1))


def test_the_whole_gallery_may_be_asked_for():
    queries, gallery = cloud(4, 5, 0), cloud(30, 5, 1)
    check(queries, gallery, 30, np.full(4, 0.5), np.full(30, 0.4))
