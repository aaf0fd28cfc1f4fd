"""`stop_after`: what cannot be is refused, and a pair is stopped within groups and beside controls too."""

import numpy as np
import pytest
from support.filled_space import fill

import consilience


def test_stopped_within_groups_and_beside_a_control(client, name):
    draw, ids = np.random.default_rng(0), [f"i{row}" for row in range(50)]
    for side in ("x", "y", "c"):
        client.create_space(f"{name}-{side}", dim=4)
        client.upsert(f"{name}-{side}", ids, draw.normal(size=(50, 4)), attributes={"label": [row % 5 for row in range(50)]})
    x, y, control = (f"{name}-{side}" for side in "xyc")
    report = client.align(x, y, k=5, permutations=999, stop_after=10, within="label", controls=[control])
    for entry in (report.headline, report.controls[control].headline):
        assert entry.permutations <= 999
        assert entry.p_value == pytest.approx(10 / entry.permutations) or entry.permutations == 999
    for wrong in ({"stop_after": 10, "permutations": 9}, {"stop_after": 1, "permutations": 0}):
        with pytest.raises(consilience.InvalidArgumentError, match="give 1 to as many") as refused:
            client.align(x, y, k=5, **wrong)
        assert refused.value.field == "stop_after"
    with pytest.raises(consilience.InvalidArgumentError, match="share their permutations"):
        client.align_matrix([x, y], k=5, stop_after=5)
    with pytest.raises(consilience.InvalidArgumentError, match="layers are compared under all pairings"):
        client.align_arrays(draw.normal(size=(50, 3, 4)), draw.normal(size=(50, 4)), k=5, stop_after=5)
    with pytest.raises(consilience.InvalidArgumentError, match="stop_after"):
        client.align(x, y, k=5, stop_after=-1)


@pytest.mark.parametrize(("argument", "value"), [("stop_after", 3), ("context", True)])
def test_what_single_items_do_not_have_is_refused(client, space, argument, value):
    with pytest.raises(consilience.InvalidArgumentError) as refused:
        client.align_items(space.name, space.name, k=5, permutations=99, **{argument: value})
    assert refused.value.field == argument


def test_a_trend_without_a_reference_has_no_contexts(client, name):
    names = [fill(client, f"{name}-{at}", np.random.default_rng(at).normal(size=(60, 8))).name for at in range(3)]
    with pytest.raises(consilience.InvalidArgumentError, match="ask describe_space") as refused:
        client.trend(names, [1, 2, 3], k=5, permutations=19, context=True)
    assert refused.value.field == "context"
