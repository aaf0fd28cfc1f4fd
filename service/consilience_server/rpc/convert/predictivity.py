"""Linear predictivity of the contract to and from that of the use cases."""

from consilience.v1 import alignment_pb2
from consilience_server.core.linear_predictivity import FOLDS, PENALTIES, Aggregate, LinearFit, PredictivityOptions, TargetScore
from consilience_server.rpc.convert.enums import served

_TARGET_SCORES: dict[alignment_pb2.TargetScore, TargetScore] = {
    alignment_pb2.TARGET_SCORE_UNSPECIFIED: "r2",
    alignment_pb2.TARGET_SCORE_R2: "r2",
    alignment_pb2.TARGET_SCORE_PEARSON: "pearson",
}
_AGGREGATES: dict[alignment_pb2.Aggregate, Aggregate] = {
    alignment_pb2.AGGREGATE_UNSPECIFIED: "mean",
    alignment_pb2.AGGREGATE_MEAN: "mean",
    alignment_pb2.AGGREGATE_MEDIAN: "median",
}


def read_predictivity(spec: alignment_pb2.PredictivitySpec) -> PredictivityOptions:
    """The contract's defaults filled in; the ranges of the numbers are the use case's to judge."""
    return PredictivityOptions(
        target_score=served(
            alignment_pb2.TargetScore, spec.target_score, _TARGET_SCORES, "spec.predictivity.target_score", what="score of a target"
        ),
        aggregate=served(alignment_pb2.Aggregate, spec.aggregate, _AGGREGATES, "spec.predictivity.aggregate", what="aggregate"),
        folds=spec.folds or FOLDS,
        folds_by=spec.folds_by,
        penalties=tuple(spec.penalties) or PENALTIES,
    )


def write_predictivity(asked: PredictivityOptions) -> alignment_pb2.PredictivitySpec:
    """What was asked, defaults filled in."""
    return alignment_pb2.PredictivitySpec(
        target_score=next(value for value, name in _TARGET_SCORES.items() if value and name == asked.target_score),
        aggregate=next(value for value, name in _AGGREGATES.items() if value and name == asked.aggregate),
        folds=asked.folds,
        folds_by=asked.folds_by,
        penalties=asked.penalties,
    )


def write_linear_fit(fit: LinearFit) -> alignment_pb2.LinearFit:
    """How the columns of y were predicted."""
    asked = write_predictivity(fit.asked)
    return alignment_pb2.LinearFit(
        target_scores=fit.target_scores,
        target_score=asked.target_score,
        aggregate=asked.aggregate,
        folds=asked.folds,
        folds_by=asked.folds_by,
        penalties=asked.penalties,
        choices=fit.choices.tolist(),
        fold_groups=fit.fold_groups,
    )
