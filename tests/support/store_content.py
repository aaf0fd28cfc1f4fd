"""Small contents for stores: batches, uploads in one call, and what a space holds as a plain dictionary."""

import numpy as np

from consilience_server.app.ports import AttributeColumn, Batch, SpaceSpec
from consilience_server.core.similarity import Similarity

DIM = 4


def spec(name="a", dim=DIM):
    return SpaceSpec(name, dim, Similarity.COSINE)


def vectors(seed, count, dim=DIM):
    return np.random.default_rng(seed).standard_normal((count, dim), dtype=np.float32)


def batch(ids, matrix, **columns):
    """Columns as name=(type, values)."""
    return Batch(
        list(ids), np.asarray(matrix, dtype=np.float32), {name: AttributeColumn(kind, values) for name, (kind, values) in columns.items()}
    )


def upload(store, space, request_id, *batches):
    store.open_upload(space, request_id)
    row = 0
    for part in batches:
        row = store.stage(space, request_id, row, part)
    return store.commit(space, request_id)


def content(store, space, version=0):
    """id -> bytes of its vector, after checking that rows are in byte order of the ids."""
    data = store.load(space, version)
    assert [item.encode() for item in data.ids] == sorted(item.encode() for item in data.ids)
    assert data.vectors.dtype == np.float32
    assert data.vectors.flags.c_contiguous
    assert data.vectors.shape == (len(data.ids), data.record.spec.dim)
    return {item: row.tobytes() for item, row in zip(data.ids, data.vectors, strict=True)}


def expected(ids, matrix):
    return {item: np.asarray(row, dtype=np.float32).tobytes() for item, row in zip(ids, matrix, strict=True)}
