"""A matrix tells what it was asked, so that it can be asked again, over a server and in-process alike."""

import numpy as np


def test_a_matrix_tells_what_its_metric_was_asked(client, name):
    draw = np.random.default_rng(0)
    spaces, ids = [f"{name}-{at}" for at in range(2)], [f"i{row:02d}" for row in range(40)]
    for space in spaces:
        client.create_space(space, dim=5)
        client.upsert(space, ids, draw.normal(size=(40, 5)), attributes={"run": [row // 2 for row in range(40)]})
    components = client.align_matrix(spaces, metric="svcca", components=3, permutations=9)
    assert (components.components, components.folds, components.penalties) == (3, 0, ())
    assert "of the 3 strongest components over the 40 items common to all" in components.cite()
    asked = {"target_score": "pearson", "aggregate": "median", "folds": 4, "folds_by": "run", "penalties": (0.1, 1.0)}
    fits = client.align_matrix(spaces, metric="linear_predictivity", permutations=9, **asked)
    assert {name: getattr(fits, name) for name in asked} == asked
    assert fits.components == 0
    assert fits.to_dict()["penalties"] == [0.1, 1.0]
    assert "(median Pearson r of the second space's columns, ridge regression, 4 folds, groups of 'run'" in fits.cite()
    defaults = client.align_matrix(spaces, metric="linear_predictivity", permutations=0)
    assert (defaults.target_score, defaults.aggregate, defaults.folds, defaults.folds_by, len(defaults.penalties)) == (
        "r2",
        "mean",
        5,
        "",
        8,
    )


def test_a_matrix_tells_how_each_space_entered(client, name):
    draw, ids = np.random.default_rng(1), [f"i{row:02d}" for row in range(40)]
    vectors = draw.normal(size=(40, 5)).astype(np.float32)
    vectors[:, 3] = 2.0
    client.create_space(f"{name}-a", dim=5, similarity="squared_l2")
    client.create_space(f"{name}-b", dim=5)
    for side in "ab":
        client.upsert(f"{name}-{side}", ids, vectors)
    distances = np.sqrt(((vectors[:, None] - vectors[None]) ** 2).sum(axis=2))
    client.create_space(f"{name}-k", kind="kernel", dissimilarity=True)
    client.upsert(f"{name}-k", ids, distances)
    spaces = [f"{name}-{side}" for side in "abk"]
    matrix = client.align_matrix(spaces, k=5, permutations=0)
    assert matrix.similarities == ("squared_l2", "cosine", "")
    assert matrix.kernel_rules == ("", "", "-d")
    assert (matrix.clips, matrix.constant_columns) == ((), ())
    assert f"entries of the stored matrix of {name}-k" in matrix.cite()
    pair = client.align(spaces[0], spaces[2], k=5, permutations=0)
    assert (pair.similarity_x, pair.kernel_rule_y) == (matrix.similarities[0], matrix.kernel_rules[2])
    clipped = client.align_matrix(spaces, k=5, preprocess="platonic_rep", permutations=0)
    assert clipped.similarities == ("cosine", "cosine", "")
    reports = [client.align(spaces[0], other, k=5, preprocess="platonic_rep", permutations=0) for other in spaces[1:]]
    assert clipped.clips[:2] == reports[0].clips
    np.testing.assert_equal(clipped.clips[2], reports[1].clips[1])
    left_out = client.align_matrix(spaces[:2], metric="cka", preprocess="standardize", permutations=0)
    assert left_out.constant_columns == (1, 1)
    own = client.align_matrix(spaces, k=5, items="pairwise", preprocess="platonic_rep", permutations=0)
    assert (own.similarities, own.kernel_rules, own.clips) == (("cosine", "cosine", ""), ("", "", "-d"), ())
    twice = client.align_matrix(spaces, k=5, query_ids=[ids[0], ids[1], ids[0]], permutations=0)
    assert twice.duplicate_queries == 1
    assert any("1 of 3 query_ids stand twice" in text for text in twice.warnings)
