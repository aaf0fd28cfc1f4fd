"""One client over a real server on loopback, one over the engine in this process: every contract test runs with both."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
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


@dataclass(frozen=True)
class Filled:
    """A space with what was uploaded into it."""

    name: str
    ids: list[str]
    vectors: np.ndarray


@pytest.fixture
def name() -> str:
    """A name that no other test has."""
    return f"name-{next(COUNTER)}"


@pytest.fixture
def space(client, name) -> Filled:
    """60 items of width 8 under cosine."""
    return fill(client, name, np.random.default_rng(next(COUNTER)).standard_normal((60, 8), dtype=np.float32))


def fill(client: Client, name: str, vectors: np.ndarray, similarity: str = "cosine") -> Filled:
    """A new space whose ids ascend in byte order with the rows."""
    ids = [f"item-{row:04d}" for row in range(len(vectors))]
    client.create_space(name, dim=vectors.shape[1], similarity=similarity)
    client.upsert(name, ids, vectors)
    return Filled(name, ids, vectors)
