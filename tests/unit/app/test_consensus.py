import asyncio

import numpy as np
import pytest
from support.convergence_house import ConvergenceHouse

from consilience_server.app.alignment_spec import AlignmentSpec, SpaceQuery
from consilience_server.app.call import Call
from consilience_server.app.consensus_query import ConsensusQuery
from consilience_server.core import errors
from consilience_server.core.cka import linear_cka
from consilience_server.core.control import Control
from consilience_server.core.similarity import Similarity

SPEC = AlignmentSpec(ks=(8,), permutations=99)
NOISE = {"a": 0.25, "b": 0.5, "c": 1.0, "d": 2.0}
IDS = [f"i{row:03d}" for row in range(160)]


@pytest.fixture
def house():
    """Rotations of one latent with more and more noise, and a stranger."""
    made, random = ConvergenceHouse(), np.random.default_rng(0)
    made.latent = random.standard_normal((160, 6))
    for name, noise in NOISE.items():
        rotation = np.linalg.qr(random.standard_normal((9, 6)))[0]
        made.put(name, IDS, np.float32(made.latent @ rotation.T + noise * random.standard_normal((160, 9))), Similarity.SQUARED_L2)
    made.put("stranger", IDS, np.float32(random.standard_normal((160, 9))), Similarity.SQUARED_L2)
    return made


def query(names=tuple(NOISE), spec=SPEC, **more):
    return ConsensusQuery(tuple(SpaceQuery(name) for name in names), spec, **more)


@pytest.mark.parametrize("method", ["mean_kernel", "procrustes"])
async def test_it_is_nearer_to_the_latent_than_any_space_of_equal_noise(house, method):
    random = np.random.default_rng(1)
    for name in "uvwxy":
        house.put(name, IDS, np.float32(house.latent @ random.standard_normal((6, 9)) + 2 * random.standard_normal((160, 9))))
    told = await house.agree(query(tuple("uvwxy"), method=method))
    best = max(linear_cka(house.store.load(name, 1).vectors, house.latent) for name in "uvwxy")
    assert linear_cka(told.coordinates.vectors, house.latent) > best
    assert 1 / 5 < told.coordinates.ratio < 1


@pytest.mark.parametrize("method", ["mean_kernel", "procrustes"])
async def test_alignment_with_the_others_orders_spaces_by_their_noise(house, method):
    told = await house.agree(query(method=method))
    scores = [report.headline.score for report in told.leave_one_out]
    assert scores == sorted(scores, reverse=True)
    assert told.warnings == ()
    assert [use.name for use in told.spaces] == [f"spaces/{name}" for name in NOISE]
    assert all(report.headline.p_value == 0.01 for report in told.leave_one_out)


@pytest.mark.parametrize("method", ["mean_kernel", "procrustes"])
async def test_a_stranger_is_found(house, method):
    told = await house.agree(query((*NOISE, "stranger"), method=method))
    assert int(np.argmin([report.headline.score for report in told.leave_one_out])) == 4
    (warning,) = told.warnings
    assert warning.startswith("stranger agrees with the others no better than chance")


async def test_too_few_permutations_to_tell_accuse_nobody(house):
    told = await house.agree(query(spec=AlignmentSpec(ks=(8,), permutations=9)))
    assert [report.headline.p_value for report in told.leave_one_out] == [0.1] * 4
    assert told.warnings == ()


async def test_no_space_is_compared_with_itself(house):
    """A space doubled finds its copy among the others; a space with nothing like it finds nothing."""
    house.put("copy", IDS, house.store.load("stranger", 1).vectors, Similarity.SQUARED_L2)
    told = await house.agree(query(("a", "stranger", "copy")))
    assert told.leave_one_out[1].headline.score > 0.3
    alone = await house.agree(query(("a", "b", "stranger")))
    assert alone.leave_one_out[2].headline.score < 0.12


async def test_items_agree_as_their_neighbour_lists_do(house):
    told = await house.agree(query(extremes=3))
    assert house.scans == 8, "four tables of spaces, each shared, and four of the others' consensus"
    matrix = await house.matrix(tuple(NOISE), SPEC)
    assert told.agreement.mean() == pytest.approx(matrix.scores[np.triu_indices(4, 1)].mean())
    assert told.chance == pytest.approx(8 / 159)
    assert (np.diff(told.agreement[told.most]) <= 0).all()
    assert (np.diff(told.agreement[told.least]) >= 0).all()
    assert told.agreement[told.most[0]] == told.agreement.max()
    assert told.agreement[told.least[0]] == told.agreement.min()
    assert len(told.most) == len(told.least) == 3


async def test_a_name_keeps_it_as_a_space_and_a_repetition_finds_it(house):
    told = await house.agree(query(name="agreed", rank=5))
    assert (told.record.spec.name, told.record.spec.dim, told.record.version) == ("agreed", 5, 1)
    assert told.record.spec.similarity is Similarity.SQUARED_L2
    assert told.record.spec.model == "consensus mean_kernel of a@1 b@1 c@1 d@1"
    kept = house.store.load("agreed", 1)
    assert kept.ids.tolist() == IDS
    np.testing.assert_array_equal(kept.vectors, told.coordinates.vectors)
    assert not told.coordinates.exact
    assert told.warnings[0].startswith("the consensus keeps 5 axes")
    assert (await house.agree(query(name="agreed", rank=5))).record.version == 1
    with pytest.raises(errors.SpaceExists, match="agreed"):
        await house.agree(query(name="agreed", rank=5), request_id="another")


async def test_without_a_name_a_repetition_is_answered_from_the_cache(house):
    await house.agree(query())
    assert await house.agree(query()) is None
    assert await house.agree(query(method="procrustes")) is not None


async def test_under_cosine_lengths_do_not_count(house):
    lengths = np.random.default_rng(2).uniform(0.5, 2, (160, 1))
    for name in "pqr":
        vectors = house.latent @ np.random.default_rng(ord(name)).standard_normal((6, 9))
        house.put(name, IDS, np.float32(vectors))
        house.put(f"{name}-long", IDS, np.float32(lengths * vectors))
    one, other = await house.agree(query(tuple("pqr"))), await house.agree(query(("p-long", "q-long", "r-long")))
    np.testing.assert_allclose(one.coordinates.vectors, other.coordinates.vectors, atol=1e-5)
    np.testing.assert_allclose(one.agreement, other.agreement)


async def test_items_that_not_all_have_are_left_out(house):
    house.put("few", IDS[:60], np.float32(house.latent[:60]))
    told = await house.agree(query(("a", "b", "few")))
    assert (told.n, told.ids.tolist()) == (60, IDS[:60])


@pytest.mark.parametrize(
    ("asked", "kind", "field", "says"),
    [
        (dict(names=("a",)), errors.InvalidArgument, "spaces", "1 spaces have no consensus"),
        (dict(names=("a", "b", "a")), errors.InvalidArgument, "spaces", "'a' is named twice"),
        (dict(name="a"), errors.InvalidArgument, "consensus_space_id", "choose another name"),
        (dict(extremes=2000), errors.InvalidArgument, "extremes", "at most 1,000"),
        (dict(spec=AlignmentSpec(ks=(5, 10))), errors.InvalidArgument, "spec.ks", "one k"),
        (dict(spec=AlignmentSpec(ks=(5,), preprocess="platonic_rep")), errors.NotServed, "spec.preprocess", "stored vectors"),
        (dict(spec=AlignmentSpec(ks=(5,), group_by="scene")), errors.InvalidArgument, "spec.group_by", "of single items"),
        (dict(spec=AlignmentSpec(ks=(160,))), errors.InvalidK, "spec.ks", "160"),
        (dict(name="No Name"), errors.InvalidName, "space_id", "No Name"),
    ],
)
async def test_what_cannot_be_is_refused(house, asked, kind, field, says):
    with pytest.raises(kind, match=says) as refused:
        await house.agree(query(**asked))
    assert refused.value.field == field


async def test_a_space_without_variance_is_refused_by_name(house):
    house.put("flat", IDS, np.full((160, 4), 0.5, dtype=np.float32), Similarity.SQUARED_L2)
    with pytest.raises(errors.ConstantFeatures, match="flat"):
        await house.agree(query(("a", "b", "flat")))


async def test_it_tells_how_far_it_is_and_stops_when_nobody_waits(house):
    seen = []
    await house.agree(query(name="x"), call=Call("consensus", control=Control(seen.append)))
    assert len(seen) > 8
    assert seen == sorted(seen)
    stopped = Control(lambda fraction: stopped.cancel() if fraction > 0.5 else None)
    with pytest.raises((errors.Cancelled, asyncio.CancelledError)):
        await house.agree(query(name="y"), call=Call("consensus", control=stopped))
    assert "y" not in house.store.records


async def test_near_duplicates_in_one_space_leave_all_of_them(house):
    twice = house.store.load("a", 1).vectors.copy()
    twice[100:120] = twice[:20]
    house.put("twice", IDS, twice, Similarity.SQUARED_L2)
    told = await house.agree(query(("twice", "b", "c"), AlignmentSpec(ks=(8,), permutations=19, deduplicate=0.9999)))
    assert (told.n, {report.n for report in told.leave_one_out}, len(told.agreement)) == (140, {140}, 140)
    assert "20 of 160 common items are near-duplicates" in told.warnings[-1]


async def test_spaces_without_a_common_item_are_refused_by_the_field_that_names_them(house):
    house.put("elsewhere", ["z1", "z2"], np.eye(2, dtype=np.float32))
    with pytest.raises(errors.NoCommonItems) as refused:
        await house.agree(query(("a", "b", "elsewhere")))
    assert refused.value.field == "spaces"
