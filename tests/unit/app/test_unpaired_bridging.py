import numpy as np
import pytest
from scipy.stats import ortho_group
from support.bridge_bench import BridgeBench

from consilience_server.app.bridge_evaluation import EvaluationQuery
from consilience_server.app.call import Call
from consilience_server.core import errors

CALL = Call("fit_bridge")
N = 1200


@pytest.fixture(scope="module")
def sides():
    rng = np.random.default_rng(0)
    centres, shapes = rng.standard_normal((8, 16)), rng.standard_normal((8, 16, 16)) / 4
    member = rng.choice(8, N, p=rng.dirichlet(np.full(8, 2.0)))
    x = centres[member] + 0.5 * np.einsum("nij,nj->ni", shapes[member], rng.standard_normal((N, 16)))
    return x, x @ ortho_group.rvs(16, random_state=1)


@pytest.fixture
def bench(sides):
    """Ids of the two sides have nothing in common; t{i} is s{i}."""
    bench = BridgeBench(budget=2_000_000_000)
    for name, side in zip("xy", sides, strict=True):
        bench.space(name, side, ids=[f"{name}{row:04d}" for row in range(N)])
    return bench


async def test_spaces_without_a_common_id_are_joined_and_measured_afterwards(bench):
    made = await bench.bridging.fit(CALL, bench.query(method="unsupervised"))
    assert made.convergence.converged
    assert (made.method, made.fit_pairs, made.held_out, list(made.candidates)) == ("unsupervised", 0, None, [])
    assert "evaluate it on some known pairs" in made.notes[1]
    assert await bench.bridging.get(CALL, "b") == made
    pairs = [f"x{row:04d}" for row in range(200)], [f"y{row:04d}" for row in range(200)]
    found = await bench.evaluations.evaluate(CALL, EvaluationQuery("b", *pairs))
    assert found.report.recalls[1] > 0.95
    assert found.fitted_pairs == 0


async def test_named_pairs_are_measured_and_change_nothing(bench):
    first = await bench.bridging.fit(CALL, bench.query(method="unsupervised"))
    pairs = {"item_ids": [f"x{row:04d}" for row in range(99)], "target_ids": [f"y{row:04d}" for row in range(99)]}
    second = await bench.bridging.fit(CALL, bench.query(name="c", method="unsupervised", **pairs))
    assert np.array_equal(first.map.weights, second.map.weights)
    assert [report.method for report in second.candidates] == ["unsupervised", "identity", "mean_shift"]
    assert second.held_out.recalls[1] > 0.95 > second.candidates[1].recalls[1]
    assert second.held_out.queries == 99


async def test_what_does_not_converge_is_refused_and_nothing_kept_unless_asked(bench):
    bench.space("z", np.random.default_rng(3).standard_normal((700, 16)))
    with pytest.raises(errors.DidNotConverge, match=r"did not converge: two maps .* Nothing was kept"):
        await bench.bridging.fit(CALL, bench.query(target="z", method="unsupervised"))
    assert not bench.bridges.exists("b")
    kept = await bench.bridging.fit(CALL, bench.query(target="z", method="unsupervised", keep_unconverged=True))
    assert not kept.convergence.converged
    assert "DID NOT CONVERGE" in kept.notes[0]


async def test_zero_vectors_and_few_items_are_refused(bench, sides):
    bench.space("zeros", np.concatenate((sides[1], np.zeros((1, 16)))))
    with pytest.raises(errors.ZeroVector, match=r"'zeros' are zero vectors.*delete them"):
        await bench.bridging.fit(CALL, bench.query(source="zeros", method="unsupervised"))
    bench.space("few", sides[1][:599])
    with pytest.raises(errors.TooFewItems, match="599 different directions"):
        await bench.bridging.fit(CALL, bench.query(target="few", method="unsupervised"))


async def test_its_cost_is_told_before(bench):
    assert 0.1 < await bench.bridging.estimate_seconds(CALL, bench.query(method="unsupervised")) < 600
