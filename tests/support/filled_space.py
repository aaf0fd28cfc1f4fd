from dataclasses import dataclass

import numpy as np

from consilience import Client


@dataclass(frozen=True)
class FilledSpace:
    """A space with what was uploaded into it."""

    name: str
    ids: list[str]
    vectors: np.ndarray


def fill(client: Client, name: str, vectors: np.ndarray, similarity: str = "cosine") -> FilledSpace:
    """A new space at version 1 whose ids ascend in byte order with the rows."""
    ids = [f"item-{row:04d}" for row in range(len(vectors))]
    client.create_space(name, dim=vectors.shape[1], similarity=similarity)
    client.upsert(name, ids, vectors)
    return FilledSpace(name, ids, vectors)
