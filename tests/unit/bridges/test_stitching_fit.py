import math

import numpy as np
import pytest
from scipy.stats import ortho_group

from consilience_server.bridges import choose, training_host
from consilience_server.bridges.choose import METHODS, candidate_methods, fit_and_choose
from consilience_server.bridges.fit_cost import stitching_bytes, stitching_flops
from consilience_server.bridges.held_out_retrieval import FitProblem
from consilience_server.bridges.stitching_map import StitchingMap
from consilience_server.bridges.stitching_options import StitchingOptions, check_stitching
from consilience_server.bridges.training_host import TrainingHost, TrainingPlan
from consilience_server.core.control import Control
from consilience_server.core.errors import InvalidArgument, NotServed, TooFewPairs
from consilience_server.engine.exact_neighbours import ExactNeighbours
from consilience_server.engine.faiss_cpu import FaissCpuScan

ENGINE = ExactNeighbours(FaissCpuScan(1), 1)
LINEAR = StitchingOptions()


def problem(x, y, held=300):
    x, y = x.astype(np.float32), y.astype(np.float32)
    ids = np.array([f"{i:04d}" for i in range(len(x))], dtype=object)
    return FitProblem(x[held:], y[held:], x[:held], np.arange(held), y, ids[:held], ids)


def bent(n, noise=0.02):
    """A relation that no linear map sees: y depends on the sides of planes that x lies on only by its distance from them."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, 5))
    return x, np.abs(x @ rng.standard_normal((5, 16))) + noise * rng.standard_normal((n, 16))


def straight(n, noise):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, 16))
    return x, x @ ortho_group.rvs(16, random_state=1) + noise * rng.standard_normal((n, 16))


def fit(subject, options, method="stitching_layer", control=None):
    plan = TrainingPlan(TrainingHost(), options, 0)
    return fit_and_choose(subject, method, (1e-4, 1e-2, 1.0), ENGINE, control or Control(), plan)


@pytest.mark.parametrize("loss", ["cosine_relational", "infonce"])
def test_a_residual_layer_finds_partners_where_ridge_finds_none(loss):
    subject = problem(*bent(1000), held=200)
    ridge = fit(subject, LINEAR, "ridge").held_out
    fitted = fit(subject, StitchingOptions("residual_mlp", loss, hidden=64, max_epochs=40))
    assert fitted.method == fitted.held_out.method == "stitching_layer"
    assert isinstance(fitted.map, StitchingMap)
    assert fitted.held_out.intervals[1][0] > ridge.intervals[1][1]
    assert fitted.stitching.best_epoch > 0
    assert fitted.stitching.validation_recall > fitted.stitching.start_recall


def test_a_linear_layer_is_no_worse_than_ridge_where_the_relation_is_linear():
    subject = problem(*straight(1500, noise=0.7))
    ridge = fit(subject, StitchingOptions(), "ridge").held_out
    fitted = fit(subject, StitchingOptions())
    error = math.sqrt(ridge.recalls[1] * (1 - ridge.recalls[1]) / ridge.queries)
    assert 0.05 < ridge.recalls[1] < 0.98
    assert fitted.held_out.recalls[1] >= ridge.recalls[1] - 2 * error
    assert [report.method for report in fitted.candidates] == ["identity", "mean_shift", "stitching_layer"]
    assert fitted.held_out.penalty > 0
    assert len(fitted.learning_curve) == 4


def test_the_held_out_pairs_tell_at_most_log_n_nats_and_no_more_than_there_are():
    """16 dimensions of x and y = x + noise: I = 8 log(1 + 1 / noise^2), of which directions keep less."""
    fitted = fit(problem(*straight(1200, noise=1.0)), StitchingOptions(loss="infonce", max_epochs=20))
    told = fitted.stitching
    assert (told.information_pairs, told.temperature, told.relational_weight) == (300, 0.05, 0.0)
    assert 0 < told.information.value < min(math.log(300), 8 * math.log(2))
    assert told.information.low < told.information.value < told.information.high <= math.log(300)
    assert fit(problem(*straight(400, 1.0)), StitchingOptions(max_epochs=1)).stitching.information is None


def test_the_held_out_pairs_choose_no_epoch():
    subject = problem(*bent(600))
    others = problem(*bent(600))
    others.gallery[:300] = np.random.default_rng(5).standard_normal((300, 16))
    options = StitchingOptions("residual_mlp", hidden=16, max_epochs=5)
    one, other = fit(subject, options), fit(others, options)
    for name, array in one.map.tensors().items():
        assert array.tobytes() == other.map.tensors()[name].tobytes()
    assert one.held_out != other.held_out


def test_auto_trains_where_the_pairs_support_it(monkeypatch):
    assert candidate_methods("auto", 99_999, 8, 8, trains=True) == METHODS
    assert candidate_methods("auto", 100_000, 8, 8, trains=True) == (*METHODS, "stitching_layer")
    assert candidate_methods("auto", 100_000, 8, 8) == METHODS
    monkeypatch.setattr(choose, "AUTO_TRAINED_PAIRS", 500)
    fitted = fit(problem(*bent(1000), held=200), StitchingOptions("residual_mlp", hidden=64, max_epochs=40), "auto")
    assert fitted.method == "stitching_layer"
    assert [report.method for report in fitted.candidates] == [*METHODS, "stitching_layer"]


def test_few_pairs_are_refused_with_what_is_needed():
    with pytest.raises(TooFewPairs, match=r"49 known pairs .* stitching_layer needs at least 50"):
        candidate_methods("stitching_layer", 49, 8, 8)
    assert fit(problem(*straight(350, 0.3)), StitchingOptions("residual_mlp", max_epochs=2)).stitching.validation_pairs == 10


def test_without_torch_it_is_not_served_and_auto_goes_without(monkeypatch):
    monkeypatch.setattr(training_host, "has_torch", lambda: False)
    with pytest.raises(NotServed, match=r"consilience\[torch\]") as refused:
        fit(problem(*straight(400, 0.3)), StitchingOptions())
    assert refused.value.field == "method"
    monkeypatch.setattr(choose, "AUTO_TRAINED_PAIRS", 10)
    assert "stitching_layer" not in [report.method for report in fit(problem(*straight(400, 0.3)), StitchingOptions(), "auto").candidates]


@pytest.mark.parametrize(
    ("options", "field", "message"),
    [
        (dict(architecture="transformer"), "architecture", "'transformer'; it is one of linear, residual_mlp"),
        (dict(loss="mse"), "loss", "'mse'; it is one of cosine_relational, infonce"),
        (dict(hidden=64), "hidden", "a linear layer has none"),
        (dict(architecture="residual_mlp", hidden=8193), "hidden", "1 to 8,192"),
        (dict(architecture="residual_mlp", hidden=-1), "hidden", "-1"),
        (dict(relational_weight=-0.5), "relational_weight", "-0.5"),
        (dict(relational_weight=math.nan), "relational_weight", "nan"),
        (dict(temperature=0.0), "temperature", "0.001 to 10"),
        (dict(temperature=math.inf), "temperature", "inf"),
        (dict(max_epochs=0), "max_epochs", "1 to 10,000"),
    ],
)
def test_what_cannot_be_trained_is_refused(options, field, message):
    with pytest.raises(InvalidArgument, match=message) as refused:
        check_stitching(StitchingOptions(**options))
    assert refused.value.field == field


def test_more_of_anything_costs_more():
    def cost(options=LINEAR, pairs=1000, source=64, target=64):
        return stitching_flops(options, pairs, source, target, 11), stitching_bytes(options, pairs, source, target)

    least = cost()
    for more in (dict(pairs=2000), dict(source=128), dict(target=128), dict(options=StitchingOptions("residual_mlp"))):
        assert all(a < b for a, b in zip(least, cost(**more), strict=True))
    assert least[0] < cost(StitchingOptions(max_epochs=120))[0]


def test_progress_never_falls_and_ends_at_one():
    seen = []
    fit(problem(*straight(400, 0.3)), StitchingOptions(max_epochs=4), control=Control(seen.append))
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert len(set(seen)) > 4
