"""Every metric keeps exactly what its file declares; a metric without a declaration fails."""

import importlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from support.brute_table import cosine, table

import consilience_server
from consilience_server.core import (
    angular_shape,
    cca,
    cka,
    cknna,
    cycle_knn,
    edit_distance_knn,
    lcs_knn,
    linear_predictivity,
    mutual_knn,
    procrustes_similarity,
    rbf_cka,
    rsa,
    svcca,
)
from consilience_server.core.errors import TooFewItems
from consilience_server.core.ordered_lists import ordered_lists

CORE = Path(consilience_server.__file__).parent / "core"


def of_lists(metric):
    """A metric of ordered lists, on spaces without ties, where keys decide nothing."""
    return lambda x, y: metric(*(ordered_lists(cosine(side), 3, np.arange(len(side), dtype=np.uint64)) for side in (x, y)))


def of_kernels(metric):
    """A version of CKNNA, on spaces without ties."""

    def score(x, y):
        kernels = [cosine(side) for side in (x, y)]
        return cknna.cknna(metric, *kernels, *(ordered_lists(kernel, 3, np.arange(len(kernel), dtype=np.uint64)) for kernel in kernels))

    return score


def predictivity(x, y):
    """With folds that belong to the items, whatever their order."""
    return linear_predictivity.linear_predictivity(x, y, np.argsort(np.argsort(y[:, 0])) % 2)


def of_rdms(x, y):
    """RSA; two components have a correlation of 1 or -1, which may be the same for all items."""
    if min(x.shape[1], y.shape[1]) < 3:
        assume(False)
    return rsa.rsa(x, y)


METRICS = {
    "cknna_paper": (of_kernels("cknna_paper"), cknna.PROPERTIES, "range_paper"),
    "cknna_centred": (of_kernels("cknna_centred"), cknna.PROPERTIES, "range"),
    "cycle_knn": (of_lists(cycle_knn.cycle_knn), cycle_knn.PROPERTIES, "range"),
    "lcs_knn": (of_lists(lcs_knn.lcs_knn), lcs_knn.PROPERTIES, "range"),
    "edit_distance_knn": (of_lists(edit_distance_knn.edit_distance_knn), edit_distance_knn.PROPERTIES, "range"),
    "mutual_knn": (lambda x, y: mutual_knn.mutual_knn(table(x, 3).sets(3), table(y, 3).sets(3)), mutual_knn.PROPERTIES, "range"),
    "rsa": (of_rdms, rsa.PROPERTIES, "range"),
    "rbf_cka": (rbf_cka.rbf_cka, rbf_cka.PROPERTIES, "range"),
    "cka": (cka.linear_cka, cka.PROPERTIES, "range"),
    "cca": (cca.mean_cca, cca.PROPERTIES, "range"),
    "svcca": (lambda x, y: svcca.svcca(x, y, 2), svcca.PROPERTIES, "range"),
    "procrustes": (procrustes_similarity.procrustes_similarity, procrustes_similarity.PROPERTIES, "range"),
    "angular_shape": (angular_shape.angular_shape, angular_shape.PROPERTIES, "range"),
    "linear_predictivity": (predictivity, linear_predictivity.PROPERTIES, "range"),
    "unbiased_cka": (cka.unbiased_cka, cka.PROPERTIES, "range_unbiased"),
}
KNOWN = {"range", "range_unbiased", "range_paper", "symmetric_code", "self_value", "symmetric", "invariances"}


def moved(name, x, draw):
    """x after a transformation that a metric may be invariant to, with the row order it implies."""
    if name == "item_order":
        rho = draw.permutation(len(x))
        return x[rho], rho
    rows = np.arange(len(x))
    if name == "orthogonal":
        return x @ np.linalg.qr(draw.normal(size=(x.shape[1], x.shape[1])))[0], rows
    if name == "positive_scale":
        return x * draw.uniform(0.01, 100.0), rows
    if name == "shift":
        return x + draw.normal(size=x.shape[1]), rows
    raise AssertionError(f"no test for the invariance {name!r}")


SHAPES = {"cca", "svcca", "procrustes_similarity", "angular_shape", "linear_predictivity"}
INVARIANCES = ("item_order", "orthogonal", "positive_scale", "shift")


@st.composite
def pairs(draw):
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, dx, dy = draw(st.integers(5, 24)), draw(st.integers(2, 30)), draw(st.integers(2, 30))
    x = random.normal(size=(n, dx))
    y = random.normal(size=(n, dy)) + draw(st.floats(0, 3)) * np.resize(x.mean(axis=1), (n, 1))
    return x, y, random


def test_every_metric_of_the_core_is_declared_and_tested():
    tested = {"mutual_knn", "cka", "cycle_knn", "lcs_knn", "edit_distance_knn", "cknna"} | SHAPES | {"rsa", "rbf_cka"}
    for path in sorted(CORE.glob("*.py")):
        module = importlib.import_module(f"consilience_server.core.{path.stem}")
        source = path.read_text()
        # What measures two spaces or two sets of neighbour lists against each other is a metric.
        measures = ") -> float:" in source and (
            "(x: NeighbourSets, y: NeighbourSets)" in source
            or "(x: OrderedLists, y: OrderedLists)" in source
            or "(x: NDArray[np.floating], y: NDArray" in source
        )
        if measures or hasattr(module, "PROPERTIES"):
            assert hasattr(module, "PROPERTIES"), f"{path.name} measures spaces and declares no PROPERTIES"
            assert path.stem in tested, f"{path.name} declares PROPERTIES that nobody tests"
            assert set(module.PROPERTIES) <= KNOWN
            assert {"range", "self_value", "symmetric", "invariances"} <= set(module.PROPERTIES)


@pytest.mark.parametrize("name", METRICS)
@settings(max_examples=60, deadline=None)
@given(pair=pairs())
def test_declared_properties_hold(name, pair):
    metric, properties, span = METRICS[name]
    x, y, random = pair
    try:
        score = metric(x, y)
    except TooFewItems:
        assert name == "cca"  # a side as wide as there are items
        assert max(x.shape[1], y.shape[1]) >= len(x) - 1
        return
    low, high = properties[span]
    assert low <= score <= high
    if properties["self_value"] is not None:
        assert metric(x, x) == pytest.approx(properties["self_value"], abs=1e-10)
    if properties["symmetric"]:
        assert metric(y, x) == pytest.approx(score, abs=1e-12)
    for invariance in properties["invariances"]:
        x_moved, rows = moved(invariance, x, random)
        assert metric(x_moved, y[rows]) == pytest.approx(score, abs=1e-9), invariance


@pytest.mark.parametrize("name", METRICS)
def test_what_is_not_declared_does_not_hold(name):
    metric, properties, _ = METRICS[name]
    random = np.random.default_rng(0)
    x = random.normal(size=(60, 4))
    y = x + 0.3 * random.normal(size=(60, 4))  # alike, so that what moves x can only make them less so
    for invariance in set(INVARIANCES) - set(properties["invariances"]):
        x_moved, rows = moved(invariance, x, random)
        assert metric(x_moved + (5.0 if invariance == "shift" else 0.0), y[rows]) != pytest.approx(metric(x, y), abs=1e-9)
