"""Where layers are trained: a device, threads, and a place for what must outlive a restart."""

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from consilience_server.bridges.stitching_options import StitchingOptions
from consilience_server.core.errors import NotServed

State = Mapping[str, np.ndarray[Any, Any]]
"""A training as it stands after an epoch, as named arrays."""


class Checkpoints(Protocol):
    """Keeps states by key across restarts. Losing one costs time, never an answer, so nothing here raises."""

    def load(self, key: str) -> State | None:
        """The state; None where there is none, or none that can be read."""
        ...

    def save(self, key: str, state: State) -> None:
        """Keep it in place of an earlier one."""
        ...

    def remove(self, key: str) -> None:
        """Forget it, if it is there."""
        ...


@dataclass(frozen=True)
class TrainingHost:
    """What the server trains with.

    Attributes:
        device: `cpu`, `cuda` or `cuda:<number>`; the CPU where torch does not see that device.
        threads: of torch while it trains on the CPU, where its steps are large. Sums depend on it, so the same seed gives the same bytes
            for one number of threads.
        checkpoints: None: a training that is cut off begins anew.
    """

    device: str = "cpu"
    threads: int = 1
    checkpoints: Checkpoints | None = None


@dataclass(frozen=True)
class TrainingPlan:
    """What one fit trains.

    Attributes:
        host: where.
        options: of the layer.
        seed: of the order of the pairs and the start of the hidden layer.
        begun: keys of the states that this fit has kept; `finish` forgets them.
    """

    host: TrainingHost
    options: StitchingOptions
    seed: int
    begun: list[str] = field(default_factory=list)

    def finish(self) -> None:
        """Forget what was kept for the case that the fit is cut off."""
        if self.host.checkpoints is not None:
            for key in self.begun:
                self.host.checkpoints.remove(key)


def has_torch() -> bool:
    """Whether torch is installed; it is not imported for that."""
    return importlib.util.find_spec("torch") is not None


def can_train(host: TrainingHost | None) -> bool:
    """Whether layers can be trained here."""
    return host is not None and has_torch()


def check_can_train(host: TrainingHost | None) -> None:
    """NotServed, with the remedy, where layers cannot be trained."""
    if not can_train(host):
        raise NotServed(
            "stitching layers are trained with torch, which this server does not have: pip install 'consilience[torch]' there, or use a "
            "method that needs none (ridge, procrustes, csa)",
            field="method",
            extra="torch",
        )
