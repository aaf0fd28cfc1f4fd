"""The half-precision scan: its bound on hard data, what it leaves out, and that it refuses arithmetic that would break its proof."""

from dataclasses import replace

import numpy as np
import pytest

from consilience_server.core.control import Control
from consilience_server.core.errors import Cancelled, ExtraMissing, FailedPrecondition
from consilience_server.core.similarity import Similarity
from consilience_server.engine import torch_scan
from consilience_server.engine.exact_neighbours import ExactNeighbours
from consilience_server.engine.scan_form import gallery_form, query_form
from consilience_server.engine.torch_scan import TorchScan

torch = pytest.importorskip("torch", reason="torch is not installed")


def spaces():
    random = np.random.default_rng(0)
    plain = random.standard_normal((700, 48)).astype(np.float32)
    few_large = plain.copy()
    few_large[:, :2] *= 1e4
    huge = plain.copy()
    huge[3, 3] = 1e38
    uneven = plain * np.exp(4 * random.standard_normal((700, 1))).astype(np.float32)
    return {
        "plain": plain,
        "few large coordinates": few_large,
        "huge coordinate": huge,
        "lengths apart": uneven,
        "small beside large coordinates": plain * np.geomspace(1, 1e-12, 48).astype(np.float32),
        "denormal": np.ldexp(random.integers(1, 50, (700, 48)), -149).astype(np.float32),
        "far from the origin": plain + np.float32(1000),
        "one-hot": np.eye(48, dtype=np.float32)[random.integers(0, 48, 700)],
    }


def true_values(form, queries):
    """T = <q', y> - w h of every pair in float64, from the float32 columns; within the form's own allowance of the real numbers."""
    gallery, asked = form.columns.astype(np.float64), queries.columns.astype(np.float64)
    return asked[:, :-1] @ gallery[:, :-1].T


@pytest.mark.parametrize("part", [32, 96, 2048])
@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("similarity", list(Similarity))
@pytest.mark.parametrize("name", list(spaces()))
def test_nothing_above_the_ceiling_is_left_out(name, similarity, biased, part):
    x = spaces()[name]
    bias = np.random.default_rng(1).standard_normal(len(x)) if biased else None
    form = gallery_form(x, similarity, bias)
    queries = query_form(x[:150], form)
    scan = TorchScan(part=part)
    found = scan.propose(scan.load(form.columns), queries.columns, 12, 1, Control())
    assert found.rows.shape == found.values.shape == (150, 12)
    truth = true_values(form, queries)
    inside = np.isfinite(form.allowance)
    for row in range(150):
        assert len(set(found.rows[row])) == 12
        left = np.setdiff1d(np.flatnonzero(inside), found.rows[row])
        assert truth[row, left].max(initial=-np.inf) <= found.ceiling[row]
    # What is proposed carries its ordinary float32 value, which is above T by no more than its allowance.
    shown = form.allowance[found.rows]
    excess = found.values - np.take_along_axis(truth, found.rows, axis=1)
    ordinary = np.isfinite(shown)
    assert (excess[ordinary] >= 0).all()
    assert (excess[ordinary] <= 2 * shown[ordinary] + 1e-12).all()


@pytest.mark.parametrize("similarity", list(Similarity))
def test_the_ceiling_is_as_near_as_the_margin_says(similarity):
    """Without a tight ceiling no row would be certified; the twelfth best and the margin bound it from above."""
    x = spaces()["plain"]
    form = gallery_form(x, similarity)
    queries = query_form(x, form)
    scan = TorchScan(part=128)
    found = scan.propose(scan.load(form.columns), queries.columns, 12, 1, Control())
    twelfth = np.sort(true_values(form, queries), axis=1)[:, -12]
    assert (found.ceiling <= twelfth + found.margin).all()
    assert found.margin < 0.02 * np.linalg.norm(form.columns[:, :-2], axis=1).max()


def test_few_rows_are_left_in_doubt():
    random = np.random.default_rng(2)
    centres = random.standard_normal((40, 64))
    x = (centres[random.integers(0, 40, 4000)] + 0.3 * random.standard_normal((4000, 64))).astype(np.float32)
    engine = ExactNeighbours(TorchScan(), 2)
    table = engine.self_join(x, Similarity.COSINE, 10, tie_keys=np.arange(4000, dtype=np.uint64), control=Control())
    assert table.certificate.scan_dtype == "float16"
    assert table.certificate.backend == engine.backend == "torch"
    assert 2.0**-14 < table.certificate.error_bound < 2.0**-6
    assert table.certificate.refined_rows < 40


def test_without_its_residuals_the_ceiling_would_lie(monkeypatch):
    """So the tests above can fail: these items differ by less than float16 can tell."""
    random = np.random.default_rng(3)
    sides = np.where(np.arange(3000) % 2, 1.0, -1.0)[:, None]
    x = (sides * random.standard_normal(256) + 3e-2 * random.standard_normal((3000, 256))).astype(np.float32)
    form = gallery_form(x, Similarity.COSINE)
    queries = query_form(x[:50], form)
    scan = TorchScan()
    truth = true_values(form, queries)

    def above_the_ceiling():
        found = scan.propose(scan.load(form.columns), queries.columns, 12, 1, Control())
        return sum(np.delete(truth[row], found.rows[row]).max() > found.ceiling[row] for row in range(50))

    assert above_the_ceiling() == 0
    for name in ("_ACCUMULATION", "_OUTPUT", "_UNDERFLOW"):
        monkeypatch.setattr(torch_scan, name, 0.0)
    half, loaded = torch_scan._HalfQueries.of, torch_scan._Loaded.of
    monkeypatch.setattr(torch_scan._HalfQueries, "of", staticmethod(lambda columns: replace(half(columns), residual=0.0)))

    def without_residuals(torch, columns):
        made = loaded(torch, columns)
        return replace(made, residual=made.residual * 0)

    monkeypatch.setattr(torch_scan._Loaded, "of", staticmethod(without_residuals))
    lies = above_the_ceiling()
    assert lies > 25, lies


def test_products_less_precise_than_float32_sums_are_refused(monkeypatch):
    monkeypatch.setattr(torch_scan, "_ACCUMULATION", 2.0**-40)
    monkeypatch.setattr(torch_scan, "_OUTPUT", 2.0**-14)
    with pytest.raises(FailedPrecondition, match=r"less precisely than float32 sums.*engine=faiss"):
        TorchScan()


def test_without_torch_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(torch_scan.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ExtraMissing, match=r"consilience\[torch\]"):
        TorchScan()


def test_a_scan_stops_between_its_parts():
    x = np.random.default_rng(4).standard_normal((600, 8)).astype(np.float32)
    form = gallery_form(x, Similarity.COSINE)
    scan = TorchScan(part=32)
    loaded = scan.load(form.columns)
    control = Control()
    control.cancel()
    with pytest.raises(Cancelled):
        scan.propose(loaded, query_form(x, form).columns, 5, 1, control)


def test_memory_is_stated():
    scan = TorchScan()
    assert scan.held_bytes(1000, 768) == 1000 * (2 * 768 + 8)
    assert 1 << 26 < scan.tile_bytes < 1 << 29
    engine = ExactNeighbours(scan, 2)
    assert engine.self_join_bytes(1000, 768, 10) > scan.held_bytes(1000, 768) + scan.tile_bytes
