"""Bridges without pairs, through the service: what is kept, what is refused, what the answer tells."""

import numpy as np
import pytest
from scipy.stats import ortho_group
from support.filled_space import fill

from consilience import FailedPreconditionError, InvalidArgumentError


def mixture(n, seed):
    rng = np.random.default_rng(seed)
    centres, shapes = rng.standard_normal((8, 16)), rng.standard_normal((8, 16, 16)) / 4
    member = rng.choice(8, n, p=rng.dirichlet(np.full(8, 2.0)))
    return (centres[member] + 0.5 * np.einsum("nij,nj->ni", shapes[member], rng.standard_normal((n, 16)))).astype(np.float32)


def test_a_rotation_is_found_without_pairs(client, name):
    x = mixture(1200, 0)
    fill(client, f"{name}-source", x)
    ids = [f"other-{row}" for row in range(len(x))]
    client.create_space(f"{name}-target", dim=16)
    client.upsert(f"{name}-target", ids, x @ ortho_group.rvs(16, random_state=1).astype(np.float32))
    bridge = client.fit_bridge(f"{name}-source", f"{name}-target", name=f"{name}-bridge", method="unsupervised", timeout=300)
    assert bridge.convergence.converged
    assert bridge.convergence.agreement.interval.low <= bridge.convergence.agreement.value
    assert bridge.convergence.chance < 0.01
    assert (bridge.method, bridge.fit_pairs, bridge.held_out) == ("unsupervised", 0, None)
    assert repr(bridge.convergence).startswith("converged: independent halves agree on")
    assert "fitted without pairs, converged" in repr(bridge)
    assert client.match(queries=x[:50], bridge=bridge.name, k=1).ids[:, 0].tolist() == ids[:50]


def test_unrelated_spaces_are_refused_and_kept_on_request(client, name):
    for side, seed in (("source", 0), ("target", 1)):
        fill(client, f"{name}-{side}", mixture(700, seed))
    asked = (f"{name}-source", f"{name}-target", f"{name}-bridge")
    with pytest.raises(FailedPreconditionError, match="did not converge") as refused:
        client.fit_bridge(*asked, method="unsupervised", timeout=300)
    assert refused.value.reason == "DID_NOT_CONVERGE"
    bridge = client.fit_bridge(*asked, method="unsupervised", keep_unconverged=True, timeout=300)
    assert not bridge.convergence.converged
    assert "DID NOT CONVERGE" in repr(bridge)


def test_few_items_are_refused(client, name):
    fill(client, f"{name}-source", mixture(40, 0))
    with pytest.raises(InvalidArgumentError, match="at least 600") as refused:
        client.fit_bridge(f"{name}-source", f"{name}-source", f"{name}-bridge", method="unsupervised", timeout=300)
    assert refused.value.reason == "TOO_FEW_ITEMS"
