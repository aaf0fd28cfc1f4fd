"""Every bridge method on input that is degenerate or wrong: a refusal that says what to do, or a bridge whose numbers are all sound."""

import dataclasses
import math

import numpy as np
import pytest

import consilience

METHODS = ["identity", "mean_shift", "procrustes", "scaled_procrustes", "ridge", "affine", "relative", "whitened", "cca", "csa", "auto"]
LEARNED = METHODS[2:]
BASELINES = METHODS[:2]
N, WIDTH = 30, 4
RNG = np.random.default_rng(0)
X = RNG.standard_normal((N, WIDTH))
Y = X @ np.linalg.qr(RNG.standard_normal((WIDTH, WIDTH)))[0] + 0.1 * RNG.standard_normal((N, WIDTH))
SIGNS = np.where(np.arange(N) % 2, 1.0, -1.0)[:, None]
LINE = np.outer(RNG.standard_normal(N), [1.0, 2.0, 3.0, 4.0])


def with_constant(vectors):
    """Two of four columns are one number throughout."""
    spoiled = vectors.copy()
    spoiled[:, 2:] = [7.0, 0.0]
    return spoiled


SPACES = {
    "constant columns of the source": (with_constant(X), Y),
    "constant columns of both": (with_constant(X), with_constant(Y)),
    "a source of rank one": (LINE, Y),
    "a target of rank one": (X, LINE),
    "both of rank one": (LINE, 2 * LINE),
    "rank one beside a mean": (LINE + 5.0, Y),
    "two different vectors": (SIGNS * X[:1], SIGNS * Y[:1]),
    "all source vectors equal": (np.repeat(X[:1], N, axis=0), Y),
    "all target vectors equal": (X, np.repeat(Y[:1], N, axis=0)),
    "all vectors equal": (np.repeat(X[:1], N, axis=0), np.repeat(Y[:1], N, axis=0)),
    "all vectors nearly equal": (X[:1] + 1e-6 * X, Y[:1] + 1e-6 * Y),
    "one item": (X[:1], Y[:1]),
    "two items": (X[:2], Y[:2]),
    "three items": (X[:3], Y[:3]),
    "just enough pairs": (X[:13], Y[:13]),
    "one dimension": (X[:, :1], Y[:, :1]),
    "one dimension into many": (X[:, :1], Y),
    "many dimensions into one": (X, Y[:, :1]),
    "unequal widths": (X, Y[:, :3]),
    "more dimensions than pairs": (RNG.standard_normal((N, 40)), RNG.standard_normal((N, 40))),
    "huge numbers": (X * 1e37, Y * 1e37),
    "tiny numbers": (X * 1e-38, Y * 1e-38),
    "one huge item": (np.vstack([X[:1] * 1e30, X[1:]]), Y),
    "one-hot vectors": (np.eye(N), np.eye(N)),
    "unrelated spaces": (X, RNG.standard_normal((N, WIDTH))),
}


def numbers(value):
    """All floats of a result, wherever they stand."""
    if isinstance(value, float | np.floating):
        yield float(value)
    elif isinstance(value, np.ndarray) and value.dtype.kind == "f":
        yield from value.ravel().tolist()
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from numbers(getattr(value, field.name))
    elif isinstance(value, dict):
        for part in value.values():
            yield from numbers(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from numbers(part)


def check_sound(client, bridge, x, target_items):
    """All that it tells is finite, shares are shares, and what it does with vectors is finite too."""
    assert all(map(math.isfinite, numbers([bridge.held_out, bridge.candidates, bridge.learning_curve])))
    for report in bridge.candidates:
        for recall in report.recalls.values():
            assert 0 <= recall.interval.low <= recall.recall + 1e-12
            assert recall.recall - 1e-12 <= recall.interval.high <= 1
        assert 0 < report.mean_reciprocal_rank <= 1
        assert 1 <= report.median_rank <= target_items
        assert report.foscttm is None or 0 <= report.foscttm.value <= 1
    found = client.match(queries=x[:5], bridge=bridge.name, k=min(3, target_items), correction="csls" if target_items > 20 else "none")
    assert np.isfinite(found.scores).all()
    assert (np.abs(found.similarities) <= 1 + 1e-9).all()
    if bridge.leads_into_target:
        assert np.isfinite(client.translate(bridge.name, x[:5])).all()


def check_refusal(error, method):
    """By a class of its own, with a remedy, and a count where pairs are too few."""
    assert error.reason not in ("", "INTERNAL"), error
    assert len(str(error)) > 40, error
    if error.reason == "TOO_FEW_PAIRS" and "needs at least" in str(error):
        assert method in str(error)


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """In this process alone: what a method makes of a case is the same through a server."""
    with consilience.Client.local(tmp_path_factory.mktemp("local") / "store") as made:
        yield made


@pytest.fixture(scope="module")
def spaces(client):
    """A function that makes the two spaces of a case once."""
    made = {}

    def of(case):
        if case not in made:
            slug = f"case-{list(SPACES).index(case)}"
            for side, vectors in zip("xy", SPACES[case], strict=True):
                client.create_space(f"{slug}-{side}", dim=vectors.shape[1])
                client.upsert(f"{slug}-{side}", [f"i{row:03d}" for row in range(len(vectors))], vectors)
            made[case] = slug
        return made[case]

    return of


@pytest.mark.parametrize("case", SPACES)
@pytest.mark.parametrize("method", METHODS)
def test_degenerate_spaces_give_a_refusal_or_a_sound_bridge(client, spaces, method, case):
    slug = spaces(case)
    x, y = SPACES[case]
    try:
        bridge = client.fit_bridge(f"{slug}-x", f"{slug}-y", f"{slug}-{method.replace('_', '-')}", method=method)
    except (consilience.InvalidArgumentError, consilience.FailedPreconditionError) as refused:
        check_refusal(refused, method)
    else:
        check_sound(client, bridge, x, len(y))


MUST_FIT = ["constant columns of the source", "constant columns of both", "just enough pairs", "huge numbers", "unrelated spaces"]


@pytest.mark.parametrize("case", MUST_FIT)
def test_a_space_that_can_be_joined_is(client, spaces, case):
    slug = spaces(case)
    client.fit_bridge(f"{slug}-x", f"{slug}-y", f"{slug}-must", method="auto")


@pytest.mark.parametrize("method", METHODS)
def test_pairs_that_contradict_each_other_are_refused(client, spaces, name, method):
    slug = spaces("unrelated spaces")
    ids = [f"i{row:03d}" for row in range(N)]
    for pairs, field, told in (
        ((ids[:20] + ids[:1], None), "pair_ids", "'i000'"),
        ((ids[:20] + ids[:1], ids[:20] + ids[5:6]), "pair_ids", "'i000'"),
        ((ids[:20], ids[:19] + ids[:1]), "target_ids", "'i000'"),
    ):
        with pytest.raises(consilience.InvalidArgumentError, match=told) as refused:
            client.fit_bridge(f"{slug}-x", f"{slug}-y", name, method=method, pair_ids=pairs[0], target_ids=pairs[1])
        assert (refused.value.reason, refused.value.field) == ("DUPLICATE_ID", field)


@pytest.mark.parametrize("method", LEARNED)
def test_too_few_pairs_are_refused_with_how_many_are_needed(client, spaces, name, method):
    slug = spaces("more dimensions than pairs")
    needed = 40 if method in {"whitened", "cca", "csa"} else 10
    ids = [f"i{row:03d}" for row in range(N if needed == 40 else 11)]
    with pytest.raises(consilience.InvalidArgumentError, match=f"{method} needs at least {needed}") as refused:
        client.fit_bridge(f"{slug}-x", f"{slug}-y", name, method=method, pair_ids=ids)
    assert refused.value.reason == "TOO_FEW_PAIRS"


@pytest.mark.parametrize("method", BASELINES)
def test_baselines_of_unequal_widths_are_refused(client, spaces, name, method):
    slug = spaces("unequal widths")
    with pytest.raises(consilience.InvalidArgumentError, match="4 and 3") as refused:
        client.fit_bridge(f"{slug}-x", f"{slug}-y", name, method=method)
    assert refused.value.reason == "DIMENSION_MISMATCH"


@pytest.mark.parametrize("method", METHODS)
def test_more_neighbours_than_the_gallery_has(client, spaces, method):
    slug = spaces("just enough pairs")
    bridge = client.fit_bridge(f"{slug}-x", f"{slug}-y", f"{slug}-k-{method.replace('_', '-')}", method=method)
    for correction in ("none", "csls"):
        with pytest.raises(consilience.InvalidArgumentError, match="13") as refused:
            client.match(queries=X[:2], bridge=bridge.name, k=14, correction=correction)
        assert (refused.value.reason, refused.value.field) == ("INVALID_K", "k")
