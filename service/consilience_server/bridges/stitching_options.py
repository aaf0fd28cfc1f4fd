"""What a stitching layer is trained as, and what is told of its training."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

from consilience_server.core.errors import InvalidArgument
from consilience_server.core.estimate import Estimate

Architecture = Literal["linear", "residual_mlp"]
Loss = Literal["cosine_relational", "infonce"]

_WIDEST = 8192
_MOST_EPOCHS = 10_000
_TEMPERATURES = (1e-3, 10.0)
_DEFAULT_WIDEST = 2048


@dataclass(frozen=True)
class StitchingOptions:
    """How a layer is trained.

    Attributes:
        architecture: `linear` is x W + b; `residual_mlp` is x W + b + relu(x A + a) B.
        loss: `cosine_relational` (`core/relational_loss.py`) or `infonce` (`core/infonce.py`).
        hidden: units of the hidden layer of `residual_mlp`; 0: twice the wider space, at most 2,048. Of no meaning for `linear`.
        relational_weight: of the relations among rows in `cosine_relational`, from 0 on.
        temperature: of `infonce`, .001 to 10.
        max_epochs: at most so many passes over the pairs.
    """

    architecture: Architecture = "linear"
    loss: Loss = "cosine_relational"
    hidden: int = 0
    relational_weight: float = 1.0
    temperature: float = 0.05
    max_epochs: int = 60

    def width(self, source_dim: int, target_dim: int) -> int:
        """Hidden units between these widths; 0 for `linear`."""
        if self.architecture == "linear":
            return 0
        return self.hidden or min(2 * max(source_dim, target_dim), _DEFAULT_WIDEST)


def check_stitching(options: StitchingOptions) -> None:
    """InvalidArgument, with the field, for what no layer can be trained with."""
    for field, value, known in (("architecture", options.architecture, Architecture), ("loss", options.loss, Loss)):
        if value not in get_args(known):
            raise InvalidArgument(f"{field} is {value!r}; it is one of {', '.join(get_args(known))}", field=field)
    if not 0 <= options.hidden <= _WIDEST:
        raise InvalidArgument(f"hidden is {options.hidden}; it must be 1 to {_WIDEST:,}, or 0 for the server's choice", field="hidden")
    if options.hidden and options.architecture == "linear":
        raise InvalidArgument(f"hidden is {options.hidden}, but a linear layer has none; use architecture residual_mlp", field="hidden")
    if not (math.isfinite(options.relational_weight) and options.relational_weight >= 0):
        raise InvalidArgument(f"relational_weight is {options.relational_weight}; it must be finite, from 0 on", field="relational_weight")
    if not _TEMPERATURES[0] <= options.temperature <= _TEMPERATURES[1]:
        raise InvalidArgument(
            f"temperature is {options.temperature}; it must be {_TEMPERATURES[0]:g} to {_TEMPERATURES[1]:g}", field="temperature"
        )
    if not 1 <= options.max_epochs <= _MOST_EPOCHS:
        raise InvalidArgument(f"max_epochs is {options.max_epochs}; it must be 1 to {_MOST_EPOCHS:,}", field="max_epochs")


@dataclass(frozen=True)
class StitchingReport:
    """How a layer was trained.

    Attributes:
        architecture, loss, hidden, relational_weight, temperature: as trained; 0 for what the architecture or the loss has not.
        epochs: passes over the pairs.
        best_epoch: the one that was kept; 0 is the start, a ridge regression.
        validation_pairs: pairs of the fit that chose it: neither trained on nor held out for the report.
        validation_recall, validation_reciprocal_rank: of them at the epoch kept: flattered by the choice, so never the report.
        start_recall: recall@1 of them at the start.
        device: `cpu` or `cuda`.
        information: lower bound on the mutual information of mapped source and target, in nats, on held-out pairs; at most
            log(information_pairs). None for other losses.
        information_pairs: held-out pairs that it was computed on.
    """

    architecture: Architecture
    loss: Loss
    hidden: int
    relational_weight: float
    temperature: float
    epochs: int
    best_epoch: int
    validation_pairs: int
    validation_recall: float
    validation_reciprocal_rank: float
    start_recall: float
    device: str
    information: Estimate | None = None
    information_pairs: int = 0
