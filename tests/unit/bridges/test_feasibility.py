import numpy as np
import pytest

from consilience_server.bridges.feasibility import FORECAST_KS, learning_forecast, pair_alignment
from consilience_server.bridges.fit import Fits
from consilience_server.bridges.held_out_retrieval import FitProblem, HeldOutRetrieval
from consilience_server.bridges.ridge_penalty import PENALTIES
from consilience_server.core.control import Control
from consilience_server.engine.exact_neighbours import ExactNeighbours
from consilience_server.engine.faiss_cpu import FaissCpuScan

ENGINE = ExactNeighbours(FaissCpuScan(1), 1)


def problem(pairs, held=100, noise=1.0, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((pairs + held, 12), dtype=np.float32)
    y = np.float32(x @ rng.standard_normal((12, 10)) + noise * rng.standard_normal((pairs + held, 10)))
    ids = np.array([f"{row:04d}" for row in range(len(x))], dtype=object)
    return FitProblem(x[held:], y[held:], x[:held], np.arange(held), y, ids[:held], ids)


def foresee(subject, methods=("procrustes", "ridge"), wish=(0.5, 1)):
    return learning_forecast(subject, methods, wish, PENALTIES, ENGINE, Control())


def test_points_are_those_of_maps_fitted_on_the_first_pairs():
    subject = problem(170)
    told = foresee(subject, ("ridge",))
    assert [point.pairs for point in told.measured] == [10, 21, 42, 85, 170]
    for point in told.measured:
        bridge, _ = Fits(subject.x[: point.pairs], subject.y[: point.pairs], PENALTIES, Control()).fit("ridge")
        recalls, intervals = HeldOutRetrieval(subject, ENGINE, Control()).recalls(bridge, Control())
        assert point.recalls == {k: recalls[k] for k in FORECAST_KS}
        assert point.intervals == {k: intervals[k] for k in FORECAST_KS}


def test_a_curve_needs_three_points():
    assert foresee(problem(39)) is None
    assert len(foresee(problem(40)).measured) == 3


def test_the_need_is_where_the_forecast_reaches_the_wish():
    told = foresee(problem(320))
    curve = {int(pairs): recall for pairs, recall in zip(told.forecasts[1].pairs, told.forecasts[1].recall, strict=True)}
    for pairs, recall in curve.items():
        need = foresee(problem(320), wish=(recall - 1e-9, 1)).need
        assert need.pairs == pairs
        assert need.least <= need.pairs
    assert foresee(problem(320, noise=3.0), wish=(0.999, 1)).need.pairs is None


def test_what_comes_of_more_pairs_lies_within():
    """Of twelve problems, what eight times the pairs find lies within the interval in eleven or more."""
    inside = []
    for seed in range(12):
        whole = problem(1280, held=200, noise=2.0, seed=seed)
        few = FitProblem(whole.x[:160], whole.y[:160], whole.queries, whole.partners, whole.gallery, whole.query_ids, whole.gallery_ids)
        found = foresee(few, ("ridge",)).forecasts[10]
        came, _ = HeldOutRetrieval(whole, ENGINE, Control()).recalls(
            Fits(whole.x, whole.y, PENALTIES, Control()).fit("ridge")[0], Control()
        )
        at = found.pairs.tolist().index(1280)
        inside.append(found.low[at] <= came[10] <= found.high[at])
    assert sum(inside) >= 11


def test_galleries_of_parts_are_not_kept():
    subject = problem(160)
    measuring = HeldOutRetrieval(subject, ENGINE, Control())
    for size in (20, 40, 80, 160):
        measuring.recalls(Fits(subject.x[:size], subject.y[:size], PENALTIES, Control()).fit("ridge")[0], Control())
    assert len(measuring._galleries) == 2


def test_chance_agreement_is_seldom_called_more():
    """Type I error of the permutation test: of 60 unrelated pairings at most 7 at 5%, P = .02."""
    p_values = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        x, y = rng.standard_normal((2, 40, 6)).astype(np.float32)
        p_values.append(pair_alignment(x, y, ENGINE, Control()).p_value)
    assert np.mean(np.array(p_values) <= 0.05) <= 7 / 60
    assert 0.3 < np.median(p_values) < 0.7


def test_alignment_of_few_and_of_equidistant_items():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((12, 12), dtype=np.float32)
    assert pair_alignment(x[:11], x[:11], ENGINE, Control()) is None
    same = pair_alignment(x, x, ENGINE, Control())
    assert (same.mutual_knn, same.items) == (1.0, 12)
    assert same.cka == pytest.approx(1.0)
    assert pair_alignment(np.eye(12, dtype=np.float32), x, ENGINE, Control()).cka is None
