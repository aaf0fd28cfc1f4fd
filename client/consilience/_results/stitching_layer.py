"""How a stitching layer was trained."""

from dataclasses import dataclass

from consilience._results.base import number
from consilience._results.measured import Measured


@dataclass(frozen=True)
class StitchingLayer:
    """How a stitching layer was trained, and which epoch was kept.

    Attributes:
        architecture: `linear` or `residual_mlp`.
        loss: `cosine_relational` or `infonce`.
        hidden: units of the hidden layer; 0, as the next two, for what the architecture or the loss has not.
        relational_weight: of `cosine_relational`.
        temperature: of `infonce`.
        epochs: passes over the pairs.
        best_epoch: the one kept; 0 is the start, a ridge regression: training found nothing better.
        validation_pairs: pairs of the fit that chose the epoch, neither trained on nor held out for the report.
        validation_recall, validation_reciprocal_rank: recall@1 and mean reciprocal rank of them at the epoch kept, flattered by the choice.
        start_recall: recall@1 of them at the start.
        device: `cpu` or `cuda`.
        information: of `infonce`, log N - loss on N held-out pairs, in nats: in expectation at most the mutual information of mapped source
            and target, and never above log N; None for other losses.
        information_pairs: N.
    """

    architecture: str
    loss: str
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
    information: Measured | None = None
    information_pairs: int = 0

    def __repr__(self) -> str:
        told = f"{self.architecture} by {self.loss}: epoch {self.best_epoch} of {self.epochs}"
        told += f" · validation recall@1 {number(self.start_recall)} to {number(self.validation_recall)}"
        if self.information is not None:
            told += f" · at least {self.information} nats shared ({self.information_pairs:,} held-out pairs)"
        return told
