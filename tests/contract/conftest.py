"""One client over a real server on loopback, one over the engine in this process: every contract test runs with both."""

import itertools
from collections.abc import Iterator

import numpy as np
import pytest
from support.filled_space import FilledSpace, fill
from support.server_process import running_server

from consilience import Client

COUNTER = itertools.count()


@pytest.fixture(scope="module", params=["server", "local"])
def client(request, tmp_path_factory) -> Iterator[Client]:
    store = tmp_path_factory.mktemp(request.param) / "store"
    if request.param == "server":
        with running_server(store) as server, Client(server.address) as made:
            yield made
    else:
        with Client.local(store) as made:
            yield made


@pytest.fixture
def name() -> str:
    """A name that no other test has."""
    return f"name-{next(COUNTER)}"


@pytest.fixture
def space(client, name) -> FilledSpace:
    """60 items of width 8 under cosine."""
    return fill(client, name, np.random.default_rng(next(COUNTER)).standard_normal((60, 8), dtype=np.float32))
