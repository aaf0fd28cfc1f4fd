"""Spaces of what occurs together: through a server and in this process."""

import numpy as np
import pytest
import scipy.sparse

import consilience
from consilience.cooccurrence import Cooccurrence, from_sessions


@pytest.fixture(scope="module")
def counts():
    """Twelve things in four kinds that occur with their own kind."""
    random = np.random.default_rng(0)
    sessions = [[f"thing-{3 * kind + member:02d}" for member in random.choice(3, 2, replace=False)] for kind in random.integers(0, 4, 300)]
    noise = [[f"thing-{member:02d}" for member in random.choice(12, 2, replace=False)] for _ in range(100)]
    return from_sessions([*sessions, *noise], vocabulary=[f"thing-{at:02d}" for at in range(12)])


def test_things_of_a_kind_are_neighbours(client, counts, name):
    told = client.pmi_space(name, None, counts, rank=6)
    assert (told.items, told.dropped, told.form, told.space.dim) == (12, 0, "embedding", 6)
    assert told.total == counts.counts.sum()
    assert 0 < told.kept < 1
    assert repr(told).startswith(f"PPMI {name}@1 · 12 items, 6 axes")
    found = client.match(query_ids=counts.ids, space=name, k=2)
    for item, neighbours in zip(counts.ids, found.ids, strict=True):
        assert {int(other[-2:]) // 3 for other in neighbours} == {int(item[-2:]) // 3}


def test_counts_in_any_shape_make_the_same_space(client, counts, name):
    shapes = {
        "own": counts,
        "dense": counts.to_dense(),
        "sparse": scipy.sparse.csr_array(counts.to_dense()),
        "triples": (counts.rows, counts.columns, counts.counts),
    }
    vectors = []
    for kind, given in shapes.items():
        client.pmi_space(f"{name}-{kind}", counts.ids, given, rank=5, context_smoothing=0.75, shift=0.1)
        vectors.append(client.get_embeddings(f"{name}-{kind}").vectors)
    for other in vectors[1:]:
        np.testing.assert_array_equal(vectors[0], other)


def test_in_a_kernel_things_of_a_kind_are_neighbours_too(client, counts, name):
    told = client.pmi_space(name, None, counts, form="kernel", smoothing=1.0, positive=False)
    assert (told.space.kind, told.kept, len(told.singular_values)) == ("kernel", 1.0, 0)
    found = client.match(query_ids=counts.ids, space=name, k=2)
    for item, neighbours in zip(counts.ids, found.ids, strict=True):
        assert {int(other[-2:]) // 3 for other in neighbours} == {int(item[-2:]) // 3}


def test_as_an_operation_and_repeated(client, counts, name):
    started = client.pmi_space(name, None, counts, rank=4, wait=False, request_id=f"{name}-once")
    told = client.wait_operation(started, timeout=60)
    assert told.space.name == name
    again = client.pmi_space(name, None, counts, rank=4, request_id=f"{name}-once")
    assert again.space.uid == told.space.uid
    with pytest.raises(consilience.AlreadyExistsError):
        client.pmi_space(name, None, counts, rank=4)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"positive": False}, "INVALID_ARGUMENT"),
        ({"context_smoothing": 2.0}, "INVALID_ARGUMENT"),
        ({"smoothing": -1.0}, "INVALID_ARGUMENT"),
        ({"shift": -1.0}, "INVALID_ARGUMENT"),
        ({"ids": ["a"] * 12}, "DUPLICATE_ID"),
        ({"ids": ["", *"bcdefghijkl"]}, "INVALID_ID"),
        ({"name": "No Name"}, "INVALID_NAME"),
        ({"form": "kernel", "counts": np.triu(np.ones((12, 12)))}, "INVALID_ARGUMENT"),
        ({"counts": np.zeros((12, 12))}, "INVALID_ARGUMENT"),
    ],
)
def test_what_cannot_be_is_refused(client, counts, name, arguments, reason):
    asked = {"name": name, "ids": counts.ids, "counts": counts, **arguments}
    with pytest.raises(consilience.InvalidArgumentError) as refused:
        client.pmi_space(asked.pop("name"), asked.pop("ids"), asked.pop("counts"), **asked)
    assert refused.value.reason == reason


def test_a_broken_stream_of_counts_is_refused(client, name):
    from consilience.v1 import pmi_pb2

    header = pmi_pb2.PmiHeader(space_id=name, ids=["a", "b"], cells=5)
    block = pmi_pb2.PmiCounts(rows=b"\0" * 4, columns=b"\0" * 4, counts=b"\0" * 8)
    part = pmi_pb2.CreatePmiSpaceRequest
    for stream in (
        [part(counts=block)],
        [part(header=header), part(header=header)],
        [part(header=header), part(counts=block)],
        [part(header=header), part(counts=pmi_pb2.PmiCounts(rows=b"\0" * 4))],
        [part(header=pmi_pb2.PmiHeader(space_id=name, ids=["a"]))],
    ):
        from consilience._methods import CREATE_PMI_SPACE

        with pytest.raises(consilience.InvalidArgumentError):
            client._upload(CREATE_PMI_SPACE, lambda stream=stream: ((each.SerializeToString(), 0) for each in stream), 30)


def test_empty_counts(client):
    nothing = Cooccurrence(["a", "b"], np.empty(0, int), np.empty(0, int), np.empty(0))
    with pytest.raises(consilience.InvalidArgumentError, match="no counts"):
        client.pmi_space("nothing", None, nothing)
