"""Linear predictivity: what a caller asks of the regression, and how the columns were predicted."""

import math
from typing import Any

import numpy as np

from consilience import _names
from consilience._alignment_options import AlignmentOptions
from consilience._numbers import reals, whole
from consilience._results.linear_fit import LinearFit
from consilience.errors import InvalidArgumentError
from consilience.v1 import alignment_pb2


def encode_predictivity(metric: str, options: AlignmentOptions) -> alignment_pb2.PredictivitySpec | None:
    """What is asked, whatever the metric checked; None for other metrics, which do not read it.

    Raises:
        InvalidArgumentError: an unknown name, too few folds, or a penalty below 0.
    """
    folds_by = options.get("folds_by") or ""
    if not isinstance(folds_by, str):
        raise InvalidArgumentError("folds_by is the name of an attribute; only align_arrays takes labels", field="folds_by")
    spec = alignment_pb2.PredictivitySpec(
        target_score=_names.TARGET_SCORES.to_number(options.get("target_score", "r2")),
        aggregate=_names.AGGREGATES.to_number(options.get("aggregate", "mean")),
        folds=whole(options.get("folds", 5), "folds", least=2),
        folds_by=folds_by,
        penalties=_penalties(options.get("penalties")),
    )
    return spec if metric == "linear_predictivity" else None


def _penalties(asked: Any) -> list[float]:
    """Ridge penalties; none where the default ones are asked."""
    if asked is None:
        return []
    values = reals(asked if np.ndim(asked) else [asked], "penalties")
    if not values or not all(0.0 <= value < math.inf for value in values):
        raise InvalidArgumentError(f"penalties is {asked!r}; give one or more numbers of 0 or more", field="penalties")
    return values


def decode_predictivity(message: alignment_pb2.AlignmentMatrix | alignment_pb2.Measurement) -> dict[str, Any]:
    """What a matrix or a measurement was asked of svcca or linear predictivity, as keywords of the result."""
    asked = message.predictivity
    if not message.HasField("predictivity"):
        return {"components": message.components}
    return {
        "target_score": _names.TARGET_SCORES.to_name(asked.target_score),
        "aggregate": _names.AGGREGATES.to_name(asked.aggregate),
        "folds": asked.folds,
        "folds_by": asked.folds_by,
        "penalties": tuple(asked.penalties),
    }


def decode_linear_fit(message: alignment_pb2.LinearFit) -> LinearFit:
    """A LinearFit."""
    return LinearFit(
        target_scores=np.array(message.target_scores, dtype=np.float64),
        target_score=_names.TARGET_SCORES.to_name(message.target_score),
        aggregate=_names.AGGREGATES.to_name(message.aggregate),
        folds=message.folds,
        folds_by=message.folds_by,
        penalties=tuple(message.penalties),
        choices=tuple(message.choices),
        fold_groups=message.fold_groups,
    )
