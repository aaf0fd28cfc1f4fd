import numpy as np
import pytest
from scipy.stats import ortho_group

from consilience_server.bridges.apply import centre_gallery, make_ready, map_vectors
from consilience_server.bridges.unpaired import neighbour_means
from consilience_server.bridges.unpaired_fit import FEWEST, fit_without_pairs
from consilience_server.core import errors
from consilience_server.core.control import Control
from consilience_server.core.retrieval import partner_ranks

CONTROL = Control()


def mixture(n, seed, width=24, components=10):
    """Gaussians of unlike weights and shapes."""
    rng = np.random.default_rng(seed)
    centres, shapes = rng.standard_normal((components, width)), rng.standard_normal((components, width, width)) / width**0.5
    member = rng.choice(components, n, p=rng.dirichlet(np.full(components, 2.0)))
    return (centres[member] + 0.5 * np.einsum("nij,nj->ni", shapes[member], rng.standard_normal((n, width)))).astype(np.float32)


def top1(bridge, x, y, partners):
    ready = make_ready(bridge)
    return (partner_ranks(map_vectors(ready, x, CONTROL), centre_gallery(ready, y, CONTROL), partners) == 1).mean()


def test_a_rotated_mixture_is_found_without_a_pair_and_the_same_seed_gives_the_same_map():
    x = mixture(2000, 0)
    order = np.random.default_rng(1).permutation(2000)
    y = (x @ ortho_group.rvs(24, random_state=2).astype(np.float32))[order]
    bridge, told = fit_without_pairs(x, y, 0, CONTROL)
    assert told.converged
    assert top1(bridge, x, y, np.argsort(order)) > 0.95
    assert np.abs(bridge.weights @ bridge.weights.T - np.eye(24)).max() < 1e-9
    again, _ = fit_without_pairs(x, y, 0, CONTROL)
    assert np.array_equal(again.weights, bridge.weights)


def test_other_draws_and_a_narrower_source_are_found_too():
    both = mixture(4000, 3)
    rotation = ortho_group.rvs(30, random_state=4)[:24].astype(np.float32)
    x = both[:2000]
    bridge, told = fit_without_pairs(x, both[2000:] @ rotation, 0, CONTROL)
    assert told.converged
    assert top1(bridge, x, x @ rotation, np.arange(2000)) > 0.95


@pytest.mark.parametrize("kind", ["mixtures", "one spectrum"])
def test_unrelated_spaces_do_not_converge(kind):
    rng = np.random.default_rng(5)
    n, width = 800, 24
    scale = np.exp(-np.arange(width) / 5) if kind == "one spectrum" else 1.0
    x, y = (
        (mixture(n, seed) if kind == "mixtures" else scale * rng.standard_normal((n, width)).astype(np.float32)).astype(np.float32)
        for seed in (6, 7)
    )
    _, told = fit_without_pairs(x, y, 0, CONTROL)
    assert not told.converged
    assert told.agreement.value < 0.1
    assert told.fits == 6


@pytest.mark.parametrize("rows", [np.ones((2000, 12)), np.random.default_rng(0).standard_normal((2000, 1)) * np.ones(12)])
def test_few_different_directions_are_refused(rows):
    rows = rows.astype(np.float32)
    with pytest.raises(errors.TooFewItems, match=rf"target space has \d different directions.*at least {FEWEST}") as refused:
        fit_without_pairs(mixture(800, 0), rows, 0, CONTROL)
    assert refused.value.field == "target"


def test_spaces_of_few_dimensions_are_refused():
    with pytest.raises(errors.InvalidArgument, match=r"source space has 3 dimensions; .* at least 10"):
        fit_without_pairs(mixture(800, 0, width=3), mixture(800, 0), 0, CONTROL)


def test_cancellation_is_heard():
    control = Control()
    control.cancel()
    with pytest.raises(errors.Cancelled):
        fit_without_pairs(mixture(800, 0), mixture(800, 1), 0, control)


def test_means_of_neighbours():
    rng = np.random.default_rng(0)
    queries, gallery = (rng.standard_normal((n, 6)).astype(np.float32) for n in (5, 40))
    order = np.argsort(-(queries @ gallery.T), axis=1)
    for count in (1, 3, 40, 99):
        assert neighbour_means(queries, gallery, gallery, count, CONTROL) == pytest.approx(gallery[order[:, :count]].mean(axis=1), abs=1e-6)
