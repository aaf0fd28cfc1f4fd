from datetime import UTC, datetime

import numpy as np
import pytest

from consilience.v1 import space_pb2
from consilience.v1.attribute_pb2 import AttributeColumn as Column
from consilience.v1.attribute_pb2 import StringValues
from consilience_server.app.ports import AttributeColumn, SpaceRecord, SpaceSpec, UpsertOutcome
from consilience_server.app.reports import SpaceUse
from consilience_server.app.spaces import EmbeddingsPage
from consilience_server.core.errors import InvalidArgument, ShapeMismatch
from consilience_server.core.kernel_kind import KernelKind
from consilience_server.core.similarity import Similarity
from consilience_server.rpc.convert.matrix import write_matrix
from consilience_server.rpc.convert.spaces import read_batch, read_similarity, read_spec, write_page, write_space, write_upsert

SPEC = SpaceSpec("clip", 768, Similarity.SQUARED_L2, "image", "clip-vit-l14", "17", "clip-layers")
RECORD = SpaceRecord(
    SPEC, "uid-1", 3, 10**10, datetime(2026, 1, 2, 3, 4, 5, 6, UTC), datetime(2026, 2, 2, tzinfo=UTC), {"b": "real", "a": "string"}
)


KERNEL = {"kind": space_pb2.SPACE_KIND_KERNEL, "dim": 0, "similarity": 0}


def request(**changes):
    values = dict(
        kind=space_pb2.SPACE_KIND_VECTORS, dim=768, similarity=space_pb2.SIMILARITY_SQUARED_L2, modality="image", model="clip-vit-l14",
        layer="17", group="clip-layers",
    )  # fmt: skip
    return space_pb2.CreateSpaceRequest(space_id="clip", space=space_pb2.Space(**(values | changes)))


def test_a_spec_is_read_whole():
    assert read_spec(request()) == SPEC


@pytest.mark.parametrize(
    ("changes", "error", "field"),
    [
        ({"kind": space_pb2.SPACE_KIND_KERNEL}, InvalidArgument, "space.similarity"),
        ({"dissimilarity": True}, InvalidArgument, "space.dissimilarity"),
        ({"dissimilarity_kind": space_pb2.DISSIMILARITY_KIND_EUCLIDEAN}, InvalidArgument, "space.dissimilarity"),
        ({**KERNEL, "dissimilarity_kind": space_pb2.DISSIMILARITY_KIND_EUCLIDEAN}, InvalidArgument, "space.dissimilarity"),
        ({**KERNEL, "dissimilarity": True, "dissimilarity_kind": 7}, InvalidArgument, "space.dissimilarity_kind"),
        ({"kind": 0}, InvalidArgument, "space.kind"),
        ({"kind": 7}, InvalidArgument, "space.kind"),
        ({"similarity": 0}, InvalidArgument, "space.similarity"),
        ({"similarity": 7}, InvalidArgument, "space.similarity"),
        ({"model": "x" * 257}, InvalidArgument, "space.model"),
        ({"group": "a\nb"}, InvalidArgument, "space.group"),
    ],
)
def test_bad_specs(changes, error, field):
    with pytest.raises(error) as caught:
        read_spec(request(**changes))
    assert caught.value.field == field


@pytest.mark.parametrize("kernel", KernelKind)
def test_kernels_return(kernel):
    spec = SpaceSpec("rdm", 0, Similarity.INNER_PRODUCT, kernel=kernel)
    written = write_space(SpaceRecord(spec, "u", 1, 92, RECORD.create_time, RECORD.create_time))
    assert (written.kind, written.dim, written.similarity) == (space_pb2.SPACE_KIND_KERNEL, 92, space_pb2.SIMILARITY_UNSPECIFIED)
    written.dim = 0
    assert read_spec(space_pb2.CreateSpaceRequest(space_id="rdm", space=written)) == spec


def test_a_space_is_written_whole():
    space = write_space(RECORD)
    assert (space.name, space.uid, space.dim, space.version, space.item_count) == ("spaces/clip", "uid-1", 768, 3, 10**10)
    assert (space.kind, space.similarity) == (space_pb2.SPACE_KIND_VECTORS, space_pb2.SIMILARITY_SQUARED_L2)
    assert (space.modality, space.model, space.layer, space.group) == ("image", "clip-vit-l14", "17", "clip-layers")
    assert space.create_time.ToDatetime(UTC) == RECORD.create_time
    assert space.update_time.ToDatetime(UTC) == RECORD.update_time
    assert [attribute.name for attribute in space.attributes] == ["a", "b"]


@pytest.mark.parametrize("similarity", Similarity)
def test_similarities_return(similarity):
    record = SpaceRecord(SpaceSpec("a", 1, similarity), "u", 0, 0, RECORD.create_time, RECORD.create_time)
    assert read_similarity(write_space(record).similarity, "f") is similarity


def test_a_batch_is_read_whole():
    vectors = np.arange(6, dtype=np.float32).reshape(2, 3)
    column = Column(name="label", strings=StringValues(values=["x", "y"]))
    batch = read_batch(space_pb2.UploadBatch(ids=["a", "b"], vectors=write_matrix(vectors), attributes=[column]))
    assert batch.ids == ("a", "b")
    np.testing.assert_array_equal(batch.vectors, vectors)
    assert batch.attributes == {"label": AttributeColumn("string", ["x", "y"])}


def test_a_batch_names_its_fields():
    matrix = write_matrix(np.ones((2, 3), np.float32))
    matrix.rows = 3
    with pytest.raises(ShapeMismatch) as caught:
        read_batch(space_pb2.UploadBatch(ids=["a", "b"], vectors=matrix))
    assert caught.value.field == "batch.vectors.data"


def test_outcomes_and_pages():
    upsert = write_upsert(UpsertOutcome(4, 1, 2, 3), RECORD)
    assert (upsert.version, upsert.inserted, upsert.replaced, upsert.unchanged, upsert.space.name) == (4, 1, 2, 3, "spaces/clip")
    vectors = np.ones((1, 2), np.float32)
    page = write_page(EmbeddingsPage(SpaceUse("spaces/clip", "u", 3), ["a"], vectors, {"n": AttributeColumn("integer", (None,))}, "next"))
    assert (page.space.name, page.space.version, list(page.ids), page.next_page_token) == ("spaces/clip", 3, ["a"], "next")
    assert page.vectors == write_matrix(vectors)
    assert list(page.attributes[0].missing) == [0]
