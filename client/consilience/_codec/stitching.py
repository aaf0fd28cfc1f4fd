"""Stitching layers: how one is trained as a message, how one was trained as a result."""

from dataclasses import dataclass

from consilience import _names
from consilience._codec.alignment import decode_interval
from consilience._numbers import positive, real, whole
from consilience._results.measured import Measured
from consilience._results.stitching_layer import StitchingLayer
from consilience.v1 import bridge_stitching_pb2


@dataclass(frozen=True)
class StitchingArguments:
    """What callers say of a layer's training; None for what they leave to the server."""

    architecture: str | None = None
    loss: str | None = None
    hidden: int | None = None
    relational_weight: float | None = None
    temperature: float | None = None
    max_epochs: int | None = None


def encode_stitching(told: StitchingArguments) -> bridge_stitching_pb2.StitchingOptions | None:
    """The message; None where nothing was said.

    Raises:
        InvalidArgumentError: an unknown architecture or loss, or a number out of range.
    """
    if told == StitchingArguments():
        return None
    options = bridge_stitching_pb2.StitchingOptions()
    if told.architecture is not None:
        options.architecture = _names.STITCHING_ARCHITECTURES.to_number(told.architecture)
    if told.loss is not None:
        options.loss = _names.STITCHING_LOSSES.to_number(told.loss)
    if told.hidden is not None:
        options.hidden = whole(told.hidden, "hidden", least=1)
    if told.relational_weight is not None:
        options.relational_weight = real(told.relational_weight, "relational_weight")
    if told.temperature is not None:
        options.temperature = positive(told.temperature, "temperature")
    if told.max_epochs is not None:
        options.max_epochs = whole(told.max_epochs, "max_epochs", least=1)
    return options


def decode_stitching(message: bridge_stitching_pb2.StitchingReport) -> StitchingLayer:
    """A StitchingLayer."""
    information = None
    if message.HasField("information"):
        interval = decode_interval(message.information_interval) if message.HasField("information_interval") else None
        information = Measured(message.information, interval)
    return StitchingLayer(
        architecture=_names.STITCHING_ARCHITECTURES.to_name(message.architecture),
        loss=_names.STITCHING_LOSSES.to_name(message.loss),
        hidden=message.hidden,
        relational_weight=message.relational_weight,
        temperature=message.temperature,
        epochs=message.epochs,
        best_epoch=message.best_epoch,
        validation_pairs=message.validation_pairs,
        validation_recall=message.validation_recall,
        validation_reciprocal_rank=message.validation_reciprocal_rank,
        start_recall=message.start_recall,
        device=message.device,
        information=information,
        information_pairs=message.information_pairs,
    )
