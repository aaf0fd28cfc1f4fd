"""Training a stitching layer: Adam on the loss, one epoch after the other, and the epoch that retrieves best is the one kept.

The layer starts as a linear map (the hidden layer's output is zero at first), so training can only be kept where it finds partners better
than its start. After each epoch, validation pairs that are not trained on look for their partners; the best epoch by recall@1, then by mean
reciprocal rank, is restored in the end, and `PATIENCE` epochs without a better one end the training.

Nothing is drawn but by (seed, epoch), so a state holds all there is to go on from: parameters, both moments of Adam, steps and epoch, and
the best parameters so far. On the CPU, with torch's deterministic algorithms and a fixed number of threads, a training that was cut off and
goes on ends with the bytes of one that was not.

Source of the optimiser: Kingma and Ba, "Adam: a method for stochastic optimization" (ICLR 2015), algorithm 1; its rate falls along a cosine
to 0 at `max_epochs` (Loshchilov and Hutter, ICLR 2017, eq. 5, without restarts).
"""

import contextlib
import hashlib
import math
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consilience_server.bridges.stitching_tensors import cosine_relational_loss, first_parameters, forward, infonce_loss
from consilience_server.bridges.training_host import State, TrainingPlan
from consilience_server.core.control import Control
from consilience_server.core.errors import Cancelled

PATIENCE = 10
BATCH = 512
_LEAST_BATCH, _LEAST_STEPS = 32, 16
_RATE, _FIRST, _SECOND, _TINY = 1e-3, 0.9, 0.999, 1e-8
_GALLERY = 4000
_SAVE_SECONDS = 5.0
_WORTH_A_TEAM = 2e8
"""Operations of a step from which threads gain more than their barriers cost; far below, on busy cores, they lose much."""
_ONE_AT_A_TIME = threading.Lock()
"""Threads and determinism are settings of the whole process."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Lesson:
    """What is learned from, all rows centred, unit and float32, in random order.

    Attributes:
        x, y: (n, d_x) and (n, d_y), pairs that are trained on.
        queries, partners: (v, d_x) and (v, d_y), pairs that choose the epoch.
        start: (d_x, d_y) float64, the linear map to start from.
        penalty: that `start` was fitted with: tells it from another start.
    """

    x: Floats
    y: Floats
    queries: Floats
    partners: Floats
    start: NDArray[np.float64]
    penalty: float


@dataclass(frozen=True)
class Learned:
    """The epoch kept.

    Attributes:
        parameters: weights and bias; then, with a hidden layer, its weights, its bias and the output's weights; float64.
        epochs: trained.
        best_epoch: kept; 0 is the start.
        recall, reciprocal_rank: of the validation pairs at the epoch kept.
        start_recall: at the start.
        device: `cpu` or `cuda`.
    """

    parameters: tuple[NDArray[np.float64], ...]
    epochs: int
    best_epoch: int
    recall: float
    reciprocal_rank: float
    start_recall: float
    device: str


def train(lesson: Lesson, plan: TrainingPlan, control: Control) -> Learned:
    """Train, from the state that an earlier call with the same lesson left where it was cut off.

    Args:
        lesson: n >= 2 pairs, v >= 1.
        plan: options, seed and host; the key of a state that was kept is added to its `begun`.
        control: cancellation, heard at every step, and progress, told at every epoch.

    Cost: max_epochs * 6 n (d_x d_y + h (d_x + d_y)) at most.
    """
    import torch

    device, threads = _device(torch, plan.host.device), _threads(lesson, plan)
    with _settings(torch, device.type, threads, control):
        return _train(torch, device, lesson, plan, f"{device.type} {threads} {torch.__version__}", control)


def _train(torch: Any, device: Any, lesson: Lesson, plan: TrainingPlan, where: str, control: Control) -> Learned:
    checkpoints, most = plan.host.checkpoints, plan.options.max_epochs
    key = _key(lesson, plan, where)
    kept = None if checkpoints is None else checkpoints.load(key)
    if kept is not None:
        plan.begun.append(key)
    learner = _Learner(torch, device, lesson, plan, kept)
    state, begun = learner.state(), time.monotonic()

    def save() -> None:
        if checkpoints is not None:
            checkpoints.save(key, state)
            if key not in plan.begun:
                plan.begun.append(key)

    while not learner.is_done:
        try:
            learner.train_epoch(control)
        except Cancelled:
            save()
            raise
        state = learner.state()
        control.progress(learner.epoch / most)
        # The end too, where it took long to reach: what comes after the training may be cut off as well.
        if time.monotonic() - begun > _SAVE_SECONDS:
            save()
            begun = time.monotonic()
    if key in plan.begun:
        save()
    control.progress(1.0)
    return learner.learned()


class _Learner:
    """Parameters on a device, their moments, and the best so far."""

    def __init__(self, torch: Any, device: Any, lesson: Lesson, plan: TrainingPlan, kept: State | None) -> None:
        self._torch, self._device = torch, device
        self._options, self._seed = plan.options, plan.seed
        self._x, self._y, self._queries = (self._there(rows) for rows in (lesson.x, lesson.y, lesson.queries))
        others = lesson.y[: max(_GALLERY - len(lesson.partners), 0)]
        self._gallery = self._there(np.concatenate((lesson.partners, others)))
        self._batches = max(math.ceil(len(lesson.x) / BATCH), min(_LEAST_STEPS, len(lesson.x) // _LEAST_BATCH), 1)
        first = first_parameters(lesson.start, plan.options, plan.seed)
        if kept is None:
            self._parameters = [self._there(array) for array in first]
            self._means = [torch.zeros_like(array) for array in self._parameters]
            self._squares = [torch.zeros_like(array) for array in self._parameters]
            self.epoch = self._step = self._best_epoch = 0
            self._best = [array.clone() for array in self._parameters]
            self._score = self._judged()
            self._start_recall = self._score[0]
        else:
            self._parameters, self._means, self._squares, self._best = (
                [self._there(kept[f"{name}{place}"]) for place in range(len(first))] for name in _ARRAYS
            )
            self.epoch, self._step, self._best_epoch = (int(count) for count in kept["counts"])
            recall, reciprocal, self._start_recall = (float(score) for score in kept["scores"])
            self._score = recall, reciprocal

    @property
    def is_done(self) -> bool:
        """At the last epoch, out of patience, or where no epoch can be better."""
        return self.epoch >= self._options.max_epochs or self.epoch - self._best_epoch >= PATIENCE or self._score == (1.0, 1.0)

    def train_epoch(self, control: Control) -> None:
        """All pairs once, in an order of this epoch's own; then the validation."""
        options = self._options
        rate = _RATE * 0.5 * (1.0 + math.cos(math.pi * self.epoch / options.max_epochs))
        order = np.random.default_rng([self._seed, self.epoch, 1]).permutation(len(self._x))
        for rows in np.array_split(order, self._batches):
            control.check()
            at = self._there(rows)
            leaves = [array.detach().requires_grad_() for array in self._parameters]
            mapped, partners = forward(self._torch, leaves, self._x[at]), self._y[at]
            if options.loss == "infonce":
                loss = infonce_loss(self._torch, mapped, partners, options.temperature)
            else:
                loss = cosine_relational_loss(mapped, partners, options.relational_weight)
            self._descend(self._torch.autograd.grad(loss, leaves), rate)
        self.epoch += 1
        control.check()
        score = self._judged()
        if score > self._score:
            self._score, self._best_epoch = score, self.epoch
            self._best = [array.clone() for array in self._parameters]

    def _descend(self, gradients: Sequence[Any], rate: float) -> None:
        self._step += 1
        first, second = 1.0 - _FIRST**self._step, 1.0 - _SECOND**self._step
        for parameter, gradient, mean, square in zip(self._parameters, gradients, self._means, self._squares, strict=True):
            mean.mul_(_FIRST).add_(gradient, alpha=1.0 - _FIRST)
            square.mul_(_SECOND).addcmul_(gradient, gradient, value=1.0 - _SECOND)
            parameter.sub_(rate * (mean / first) / ((square / second).sqrt() + _TINY))

    def _judged(self) -> tuple[float, float]:
        """Recall@1 and mean reciprocal rank of the validation pairs among their partners and some of the others."""
        with self._torch.no_grad():
            scores = forward(self._torch, self._parameters, self._queries) @ self._gallery.T
            own = scores.diagonal()[:, None]
            ranks = 1 + (scores > own).sum(dim=1).cpu().numpy()
        return float((ranks == 1).mean()), float((1.0 / ranks).mean())

    def state(self) -> State:
        """All there is to go on from."""
        groups = zip(_ARRAYS, (self._parameters, self._means, self._squares, self._best), strict=True)
        arrays = {f"{name}{place}": _here(array) for name, group in groups for place, array in enumerate(group)}
        counts = np.array([self.epoch, self._step, self._best_epoch], dtype=np.int64)
        return {**arrays, "counts": counts, "scores": np.array([*self._score, self._start_recall])}

    def learned(self) -> Learned:
        """The best epoch."""
        best = tuple(_here(array).astype(np.float64) for array in self._best)
        return Learned(best, self.epoch, self._best_epoch, *self._score, self._start_recall, self._device.type)

    def _there(self, array: NDArray[Any]) -> Any:
        # A copy: parameters change in place.
        return self._torch.tensor(array, device=self._device)


_ARRAYS = ("parameter", "mean", "square", "best")


def _key(lesson: Lesson, plan: TrainingPlan, where: str) -> str:
    digest = hashlib.blake2b(f"{plan.options} {plan.seed} {where} {lesson.penalty} {lesson.start.shape}".encode(), digest_size=16)
    for array in (lesson.x, lesson.y, lesson.queries, lesson.partners):
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _here(tensor: Any) -> NDArray[Any]:
    copied: NDArray[Any] = tensor.detach().cpu().numpy().copy()
    return copied


def _threads(lesson: Lesson, plan: TrainingPlan) -> int:
    """Those of the host where a step has enough for them to do, else one."""
    source, target = lesson.start.shape
    parameters = source * target + plan.options.width(source, target) * (source + target)
    return plan.host.threads if 6.0 * min(len(lesson.x), BATCH) * parameters >= _WORTH_A_TEAM else 1


def _device(torch: Any, asked: str) -> Any:
    device = torch.device(asked)
    seen = device.type == "cpu" or (device.index or 0) < torch.cuda.device_count()
    return device if seen else torch.device("cpu")


@contextlib.contextmanager
def _settings(torch: Any, device: str, threads: int, control: Control) -> Iterator[None]:
    """Deterministic, on so many threads, one training at a time; on CUDA, which promises no bits, as torch is."""
    while not _ONE_AT_A_TIME.acquire(timeout=0.2):
        control.check()
    try:
        if device != "cpu":
            yield
            return
        before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(True)
        try:
            yield
        finally:
            torch.set_num_threads(before[0])
            torch.use_deterministic_algorithms(before[1])
    finally:
        _ONE_AT_A_TIME.release()
