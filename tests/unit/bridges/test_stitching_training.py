import numpy as np
import pytest
import torch
from support.memory_checkpoints import MemoryCheckpoints

from consilience_server.bridges import stitching_training
from consilience_server.bridges.stitching_map import StitchingMap
from consilience_server.bridges.stitching_options import StitchingOptions
from consilience_server.bridges.stitching_tensors import forward
from consilience_server.bridges.stitching_training import PATIENCE, Lesson, train
from consilience_server.bridges.training_host import TrainingHost, TrainingPlan
from consilience_server.core.centring import unit
from consilience_server.core.control import Control
from consilience_server.core.errors import Cancelled
from consilience_server.core.infonce import infonce_loss
from consilience_server.core.relational_loss import cosine_relational_loss

LAYERS = [
    StitchingOptions("linear", "cosine_relational", max_epochs=12),
    StitchingOptions("residual_mlp", "infonce", hidden=16, temperature=0.1, max_epochs=12),
]


def lesson(n=240, validation=60, noise=0.3):
    rng = np.random.default_rng(0)
    x = unit(rng.standard_normal((n + validation, 6)))
    y = unit(np.abs(x @ rng.standard_normal((6, 9))) - 0.5 + noise * rng.standard_normal((n + validation, 9)))
    start = np.linalg.lstsq(x[:n], y[:n], rcond=None)[0]
    return Lesson(*(side.astype(np.float32) for side in (x[:n], y[:n], x[n:], y[n:])), start, 0.0)


def plan(options, seed=0, checkpoints=None):
    return TrainingPlan(TrainingHost(checkpoints=checkpoints), options, seed)


def same(one, other):
    return all(left.tobytes() == right.tobytes() for left, right in zip(one.parameters, other.parameters, strict=True))


def test_torch_computes_the_losses_of_their_definitions():
    rng = np.random.default_rng(1)
    x, y = unit(rng.standard_normal((30, 5))), unit(rng.standard_normal((30, 5)))
    mapped, partners = torch.tensor(x), torch.tensor(y)
    relational = float(stitching_training.cosine_relational_loss(mapped, partners, 0.7))
    assert relational == pytest.approx(cosine_relational_loss(x, y, 0.7), abs=1e-12)
    assert float(stitching_training.infonce_loss(torch, mapped, partners, 0.1)) == pytest.approx(infonce_loss(x, y, 0.1), abs=1e-12)


@pytest.mark.parametrize("hidden", [False, True])
def test_torch_maps_as_the_artefact_does(hidden):
    rng = np.random.default_rng(1)
    shapes = [(5, 4), (4,), *([(5, 7), (7,), (7, 4)] if hidden else [])]
    weights, bias, *more = (rng.standard_normal(shape) for shape in shapes)
    made = StitchingMap(weights, bias, np.zeros(5), np.zeros(4), *more)
    rows = rng.standard_normal((20, 5))
    reached = rows
    for step in made.steps("source"):
        reached = step.ready()(reached)
    told = forward(torch, [torch.tensor(array) for array in (weights, bias, *more)], torch.tensor(unit(rows)))
    np.testing.assert_allclose(reached, told.numpy(), atol=1e-8)


@pytest.mark.parametrize("options", LAYERS)
def test_one_seed_gives_the_same_bytes_and_another_gives_others(options):
    one, again, other = (train(lesson(), plan(options, seed), Control()) for seed in (3, 3, 2**64 - 1))
    assert same(one, again)
    assert not same(one, other)


@pytest.mark.parametrize("options", LAYERS)
def test_a_training_that_was_cut_off_goes_on_to_the_same_bytes(options):
    whole = train(lesson(), plan(options), Control())
    kept, trained = MemoryCheckpoints(), []
    control = Control(lambda fraction: control.cancel() if fraction > 4.5 / 12 else None)
    cut = plan(options, checkpoints=kept)
    with pytest.raises(Cancelled):
        train(lesson(), cut, control)
    assert list(kept.states) == cut.begun
    (state,) = kept.states.values()
    assert state["counts"][0] == 5
    again = plan(options, checkpoints=kept)
    resumed = train(lesson(), again, Control(trained.append))
    assert trained[0] == pytest.approx(6 / 12)
    assert same(whole, resumed)
    assert (whole.epochs, whole.best_epoch, whole.recall) == (resumed.epochs, resumed.best_epoch, resumed.recall)
    # Finished, it is kept until what comes after it has ended too.
    assert same(whole, train(lesson(), plan(options, checkpoints=kept), Control(trained.append)))
    again.finish()
    assert kept.states == {}


def test_another_request_begins_anew():
    kept = MemoryCheckpoints()
    control = Control(lambda _: control.cancel())
    with pytest.raises(Cancelled):
        train(lesson(), plan(LAYERS[0], checkpoints=kept), control)
    seen = []
    train(lesson(), plan(LAYERS[0], seed=1, checkpoints=kept), Control(seen.append))
    assert seen[0] == pytest.approx(1 / 12)


def test_the_best_epoch_is_restored_and_patience_ends_the_training():
    options = StitchingOptions("residual_mlp", "infonce", hidden=64, max_epochs=500)
    subject = lesson(n=100, noise=1.0)
    learned = train(subject, plan(options), Control())
    assert learned.epochs == learned.best_epoch + PATIENCE < 500
    assert learned.recall >= learned.start_recall
    gallery = np.concatenate((subject.partners, subject.y)).astype(float)
    mapped = forward(torch, [torch.tensor(array) for array in learned.parameters], torch.tensor(subject.queries.astype(float))).numpy()
    scores = mapped @ gallery.T
    ranks = 1 + (scores > np.diagonal(scores)[:, None]).sum(axis=1)
    assert (ranks == 1).mean() == pytest.approx(learned.recall)
    assert (1 / ranks).mean() == pytest.approx(learned.reciprocal_rank, abs=1e-3)


def test_it_is_heard_within_an_epoch_that_nobody_waits(monkeypatch):
    control = Control()
    monkeypatch.setattr(stitching_training, "infonce_loss", lambda *_: control.cancel() or torch.zeros((), requires_grad=True))
    monkeypatch.setattr(stitching_training._Learner, "_descend", lambda *_: None)
    monkeypatch.setattr(torch.autograd, "grad", lambda *_: None)
    with pytest.raises(Cancelled):
        train(lesson(), plan(LAYERS[1]), control)


def test_the_settings_of_torch_are_as_before():
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    train(lesson(), plan(LAYERS[0]), Control())
    assert (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()) == before
