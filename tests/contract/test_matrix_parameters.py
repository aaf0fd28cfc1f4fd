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
