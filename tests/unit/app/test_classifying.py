import numpy as np
import pytest
from support.bridge_bench import BridgeBench

from consilience_server.app.alignment_spec import SpaceQuery
from consilience_server.app.call import Call
from consilience_server.app.classification_query import ClassifyQuery, Prototypes
from consilience_server.app.classifying import Classifying
from consilience_server.app.ports import AttributeColumn
from consilience_server.bridges.apply import centre_gallery, make_ready, map_vectors
from consilience_server.core import errors
from consilience_server.core.control import Control

CALL = Call("classify")
N, WIDTH, COUNT = 240, 10, 4
RNG = np.random.default_rng(0)
CENTRES = 3.0 * RNG.standard_normal((COUNT, WIDTH))
OF = np.arange(N) % COUNT
LATENT = CENTRES[OF] + 2.0 * RNG.standard_normal((N, WIDTH))
TURN = RNG.standard_normal((WIDTH, 7))
IMAGES, TEXTS = LATENT.astype(np.float32), (LATENT @ TURN + RNG.standard_normal((N, 7))).astype(np.float32)
IDS = [f"i{row:04d}" for row in range(N)]
NAMES = ["ash", "birch", "cedar", "date"]
CLASS_TEXTS = (CENTRES @ TURN).astype(np.float32)


def attributes(space, _version, ids):
    """Labels of images; classes of `captions`; groups of `grouped`."""
    if space in ("images", "grouped"):
        columns = {"tree": AttributeColumn("string", tuple(NAMES[OF[int(item[1:])]] for item in ids))}
        if space == "grouped":
            columns["group_id"] = AttributeColumn("integer", tuple(int(item[1:]) // 8 for item in ids))
        return columns
    return {"kind": AttributeColumn("string", tuple(item.split("-")[0] for item in ids))} if space == "captions" else {}


@pytest.fixture
async def bench():
    bench = BridgeBench()
    bench.classifying = Classifying(
        bridges=bench.bridges, snapshots=bench.snapshots, pool=bench.pool, engine=bench.engine, flops_per_second=1e10
    )
    bench.space("images", IMAGES)
    bench.space("grouped", IMAGES)
    bench.space("texts", TEXTS)
    bench.store.attributes = attributes
    fit = {"method": "ridge", "penalties": [0.1], "item_ids": IDS[:160]}
    await bench.bridging.fit(Call("fit_bridge"), bench.query("up", "images", "texts", **fit))
    await bench.bridging.fit(Call("fit_bridge"), bench.query("down", "texts", "images", **fit))
    return bench


def given(**options):
    return Prototypes(**{"vectors": CLASS_TEXTS, "vector_classes": NAMES, **options})


async def classify(bench, prototypes=None, items="images", **options):
    told = {"bridge": "up", "labels_attribute": "tree", "permutations": 99, **options}
    return await bench.classifying.classify(CALL, ClassifyQuery(prototypes or given(), SpaceQuery(items), **told))


@pytest.mark.parametrize("bridge", ["up", "down"])
async def test_the_nearest_class_through_the_bridge_either_way(bench, bridge):
    found = await classify(bench, bridge=bridge, top_ks=(1, 2))
    held = np.array([IDS.index(item) for item in found.item_ids])
    # 128 of the 240 were fitted on.
    assert (found.fitted_items, len(held)) == (128, 112)
    ready = make_ready(bench.bridges.get(bridge).map)
    apply = (map_vectors, centre_gallery) if bridge == "up" else (centre_gallery, map_vectors)
    asked, classes = apply[0](ready, IMAGES[held], Control()), apply[1](ready, CLASS_TEXTS, Control())
    cosines = asked.astype(np.float64) @ classes.astype(np.float64).T
    ranked = np.argsort(-cosines, axis=1)[:, :2]
    assert found.predictions.tolist() == ranked.tolist()
    np.testing.assert_allclose(found.similarities, np.take_along_axis(cosines, ranked, axis=1), atol=1e-6)
    assert np.array_equal(found.scores, found.similarities)
    assert found.accuracy.accuracy.value == np.mean(ranked[:, 0] == OF[held])
    assert found.accuracy.accuracy.low > found.accuracy.majority
    assert found.accuracy.p_value == 0.01


async def test_csls_is_its_definition(bench):
    found = await classify(bench, csls=True, correction_k=5)
    plain = await classify(bench, top_ks=(4,))
    cosines = np.zeros(plain.similarities.shape)
    np.put_along_axis(cosines, plain.predictions.astype(np.int64), plain.similarities, axis=1)
    corrected = 2 * cosines - np.sort(cosines, axis=0)[-5:].mean(axis=0)
    assert found.predictions[:, 0].tolist() == corrected.argmax(axis=1).tolist()
    np.testing.assert_allclose(found.scores[:, 0], corrected.max(axis=1), atol=1e-9)
    assert any("CSLS looks at all items" in note for note in found.notes)


async def test_prototypes_of_a_space_by_attribute_by_ids_and_each_its_own(bench):
    rng = np.random.default_rng(1)
    several = np.repeat(CLASS_TEXTS, 3, axis=0) + 0.1 * rng.standard_normal((12, 7))
    ids = [f"{name}-{at}" for name in NAMES for at in range(3)]
    bench.space("captions", several, ids)
    with pytest.raises(errors.WrongSpace, match="captions"):
        await classify(bench, Prototypes(SpaceQuery("captions"), "kind"))
    # In one space no bridge is needed.
    by_attribute = await classify(bench, Prototypes(SpaceQuery("captions"), "kind"), items="texts", bridge="", labels_attribute="")
    grouped = {name: [item for item in ids if item.startswith(name)] for name in NAMES}
    by_ids = await classify(bench, Prototypes(SpaceQuery("captions"), class_items=grouped), items="texts", bridge="", labels_attribute="")
    assert by_attribute.classes == by_ids.classes == tuple(NAMES)
    assert np.array_equal(by_attribute.scores, by_ids.scores)
    unit = several / np.linalg.norm(several, axis=1, keepdims=True)
    means = unit.reshape(4, 3, 7).mean(axis=1)
    cosines = (TEXTS @ means.T) / np.linalg.norm(TEXTS, axis=1)[:, None]
    assert by_attribute.predictions[:, 0].tolist() == cosines.argmax(axis=1).tolist()
    alone = await classify(bench, Prototypes(SpaceQuery("captions")), items="texts", bridge="", labels_attribute="")
    assert alone.classes == tuple(sorted(ids))
    assert alone.predictions.shape == (N, 5)
    assert alone.accuracy is None


def noise_labels(bench):
    """Labels that no vector knows, of items and of their partners."""
    drawn = [f"n{at}" for at in np.random.default_rng(5).integers(0, 3, N)]
    bench.store.attributes = lambda _space, _version, ids: {"noise": AttributeColumn("string", tuple(drawn[int(item[1:])] for item in ids))}
    return np.array(drawn)


@pytest.mark.parametrize("csls", [False, True])
async def test_no_item_speaks_for_its_own_class(bench, csls):
    drawn = noise_labels(bench)
    wide = np.random.default_rng(6).standard_normal((N, 200)).astype(np.float32)
    bench.space("wide", wide)
    found = await classify(
        bench, Prototypes(SpaceQuery("wide"), "noise"), items="wide", bridge="", labels_attribute="noise", csls=csls, top_ks=(3,)
    )
    assert found.accuracy.accuracy.low < 1 / 3
    assert found.accuracy.p_value > 0.05
    assert any("240 items are prototypes themselves" in note for note in found.notes)
    # The definition, item by item.
    unit = wide / np.linalg.norm(wide.astype(np.float64), axis=1, keepdims=True)
    cosines = np.empty((N, 3))
    for row in range(N):
        for at in range(3):
            mean = unit[(drawn == f"n{at}") & (np.arange(N) != row)].mean(axis=0)
            cosines[row, at] = unit[row] @ mean / np.linalg.norm(mean)
    raw = np.empty((N, 3))
    np.put_along_axis(raw, found.predictions.astype(np.int64), found.similarities, axis=1)
    np.testing.assert_allclose(raw, cosines, atol=1e-6)
    if not csls:
        assert found.predictions.tolist() == np.argsort(-cosines, axis=1).tolist()


async def test_no_partner_across_the_bridge_speaks_for_its_items_class(bench):
    noise_labels(bench)
    found = await classify(bench, Prototypes(SpaceQuery("texts"), "noise"), labels_attribute="noise")
    assert found.accuracy.accuracy.low < 1 / 3
    assert found.accuracy.p_value > 0.05
    assert any("112 items are prototypes" in note for note in found.notes)


async def test_the_only_prototype_of_a_class_is_left_out(bench):
    classes = {"one": [IDS[0]], "more": IDS[1:4]}
    found = await classify(bench, Prototypes(SpaceQuery("texts"), class_items=classes), items="texts", bridge="", labels_attribute="")
    assert IDS[0] not in found.item_ids.tolist()
    assert len(found.item_ids) == N - 1
    assert any("1 items were left out because they are the only" in note for note in found.notes)
    with pytest.raises(errors.TooFewItems, match="only prototype"):
        await classify(bench, Prototypes(SpaceQuery("texts")), items="texts", bridge="", labels_attribute="")
    # Across a bridge the partner is the very class that is looked for.
    assert len((await classify(bench, Prototypes(SpaceQuery("texts")), labels_attribute="")).item_ids) == 112


async def test_a_bridge_whose_space_moved_on_says_so(bench):
    bench.store.put("images", ["extra"], IMAGES[:1])
    found = await classify(bench, item_ids=IDS)
    assert "the source space 'images' is at version 2; the bridge was fitted on 1" in found.notes


async def test_the_estimate_counts_permutations_of_labels(bench):
    def query(**options):
        return ClassifyQuery(given(), SpaceQuery("images"), bridge="up", **options)

    plain = await bench.classifying.estimate_seconds(query(labels_attribute="tree", permutations=0))
    drawn = await bench.classifying.estimate_seconds(query(labels_attribute="tree", permutations=1000))
    assert drawn - plain == pytest.approx(3e-7 * 1000 * N)
    assert await bench.classifying.estimate_seconds(query(permutations=1000)) == plain


async def test_items_of_a_group_are_one_draw(bench):
    await bench.bridging.fit(Call("fit_bridge"), bench.query("g", "grouped", "texts", method="ridge", penalties=[0.1], item_ids=IDS[:160]))
    found = await classify(bench, items="grouped", bridge="g")
    assert found.clustered_by == "group_id"
    plain = await classify(bench, item_ids=[str(item) for item in found.item_ids])
    width = found.accuracy.accuracy.high - found.accuracy.accuracy.low
    assert width > plain.accuracy.accuracy.high - plain.accuracy.accuracy.low


async def test_rows_and_the_order_of_classes_decide_nothing(bench):
    first = await classify(bench)
    again = await classify(bench, given(vectors=CLASS_TEXTS[::-1].copy(), vector_classes=NAMES[::-1]), item_ids=IDS[::-1])
    assert np.array_equal(first.scores, again.scores)
    assert first.classes == again.classes


BAD = [
    ({"prototypes": Prototypes()}, errors.InvalidArgument, "either as a space or as vectors", "prototypes"),
    ({"prototypes": given(space=SpaceQuery("texts"))}, errors.InvalidArgument, "either", "prototypes"),
    ({"prototypes": given(vector_classes=NAMES[:3])}, errors.InvalidArgument, "3 classes", "prototypes.vector_classes"),
    ({"prototypes": given(vector_classes=["", *NAMES[1:]])}, errors.InvalidArgument, "empty name", "prototypes.vector_classes"),
    ({"prototypes": given(vector_classes=["ash"] * 4)}, errors.InvalidArgument, "1 classes", "prototypes"),
    ({"prototypes": given(vectors=np.ones((4, 9), np.float32))}, errors.DimensionMismatch, "9", "prototypes.vectors"),
    ({"prototypes": given(vectors=np.full((4, 7), np.nan, np.float32))}, errors.NotFinite, "NaN", "prototypes.vectors"),
    ({"prototypes": given(vectors=np.zeros((4, 7), np.float32))}, errors.ZeroVector, "zeros", "prototypes.vectors"),
    (
        {
            "prototypes": given(vectors=np.vstack((CLASS_TEXTS, -CLASS_TEXTS[:1])), vector_classes=[*NAMES, "ash"]),
            "bridge": "", "items": "texts", "labels_attribute": "",
        },
        errors.ZeroVector, "'ash'", "prototypes",
    ),
    ({"prototypes": given(vector_classes=["oak", *NAMES[1:]])}, errors.InvalidArgument, "no prototype: 'ash'", "labels_attribute"),
    ({"labels_attribute": "colour"}, errors.InvalidAttribute, "colour", "labels_attribute"),
    ({"item_ids": ["i0001", "i0001"]}, errors.DuplicateId, "twice", "item_ids"),
    ({"item_ids": ["nobody"]}, errors.ItemNotFound, "nobody", "item_ids"),
    ({"top_ks": (5,)}, errors.InvalidK, "4 classes", "top_ks"),
    ({"top_ks": (0,)}, errors.InvalidK, "1 to 100", "top_ks"),
    ({"permutations": 10**6}, errors.InvalidArgument, "at most", "permutations"),
    ({"bridge": "nothing"}, errors.BridgeNotFound, "nothing", None),
    ({"items": "grouped"}, errors.WrongSpace, "neither", "bridge"),
    ({"bridge": ""}, errors.DimensionMismatch, "7 columns", "prototypes"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "error", "message", "field"), BAD)
async def test_bad_input(bench, options, error, message, field):
    with pytest.raises(error, match=message) as refused:
        await classify(bench, **options)
    assert field is None or refused.value.field == field


async def test_items_of_the_fit_alone_are_refused(bench):
    every = await classify(bench)
    fitted = sorted(set(IDS) - set(every.item_ids))
    with pytest.raises(errors.TooFewItems, match="fitted on all 10"):
        await classify(bench, item_ids=fitted[:10])
