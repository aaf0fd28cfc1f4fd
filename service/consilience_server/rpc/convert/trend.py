"""Trends of the contract to and from those of the use cases."""

from consilience.v1 import alignment_pb2
from consilience_server.app.trend_query import AgainstKind, AgainstScale, TrendQuery, TrendReport
from consilience_server.core.buckets import Bucket
from consilience_server.rpc.convert.alignment import metric_number, preprocess_number, read_spec, write_report
from consilience_server.rpc.convert.enums import served
from consilience_server.rpc.convert.matrix import write_matrix
from consilience_server.rpc.convert.measurement import write_measurement
from consilience_server.rpc.convert.names import space_query, space_use

_SCALES: dict[alignment_pb2.AgainstScale, AgainstScale] = {
    alignment_pb2.AGAINST_SCALE_UNSPECIFIED: "linear",
    alignment_pb2.AGAINST_SCALE_LINEAR: "linear",
    alignment_pb2.AGAINST_SCALE_LOG10: "log10",
}
_KINDS: dict[alignment_pb2.AgainstKind, AgainstKind] = {
    alignment_pb2.AGAINST_KIND_UNSPECIFIED: "number",
    alignment_pb2.AGAINST_KIND_NUMBER: "number",
    alignment_pb2.AGAINST_KIND_DATE: "date",
}
_KIND_VALUES = {"number": alignment_pb2.AGAINST_KIND_NUMBER, "date": alignment_pb2.AGAINST_KIND_DATE}
_SCALE_VALUES = {"linear": alignment_pb2.AGAINST_SCALE_LINEAR, "log10": alignment_pb2.AGAINST_SCALE_LOG10}


def read_trend(request: alignment_pb2.TrendRequest) -> TrendQuery:
    """What a request asks; whether its numbers fit the spaces is the use case's to judge.

    Raises:
        InvalidName, UnknownMetric, NotServed.
    """
    return TrendQuery(
        spaces=tuple(space_query(reference, f"spaces[{at}]") for at, reference in enumerate(request.spaces)),
        against=tuple(request.against),
        spec=read_spec(request.spec),
        reference=space_query(request.reference, "reference") if request.HasField("reference") else None,
        families=tuple(request.families),
        scale=served(alignment_pb2.AgainstScale, request.scale, _SCALES, "scale", what="scale"),
        bucket_count=request.bucket_count,
        bucket_edges=tuple(request.bucket_edges),
        against_name=request.against_name,
        against_kind=served(alignment_pb2.AgainstKind, request.against_kind, _KINDS, "against_kind", what="kind of numbers"),
    )


def encode_trend(report: TrendReport) -> bytes:
    """The encoded answer."""
    told = write_trend(report)
    response = alignment_pb2.TrendResponse(
        report=told, spearman=told.spearman, interval=told.spearman_interval, reports=[write_report(each) for each in report.reports]
    )
    return response.SerializeToString(deterministic=True)


def write_trend(report: TrendReport) -> alignment_pb2.TrendReport:
    """How alignment goes with a number of each space."""
    query, spec, test = report.query, report.query.spec, report.test
    matrices = {"across": report.across, "across_standard_errors": report.across_errors, "pair_scores": report.pair_scores}
    return alignment_pb2.TrendReport(
        metric=metric_number(spec.metric),
        spaces=[space_use(use) for use in report.spaces],
        reference=None if report.reference is None else space_use(report.reference),
        against=query.against,
        scores=report.scores.tolist(),
        chance=report.chance.tolist(),
        excess=report.excess.tolist(),
        families=query.families,
        scale=_SCALE_VALUES[query.scale],
        spearman=report.spearman,
        spearman_interval=_interval(report.spearman_interval, spec.confidence),
        pearson=report.pearson,
        pearson_interval=_interval(report.pearson_interval, spec.confidence),
        spearman_p_value=None if test is None else test.spearman,
        pearson_p_value=None if test is None else test.pearson,
        pairings=0 if test is None else test.pairings,
        exact=test is not None and test.exact,
        slope=report.slope,
        intercept=report.intercept,
        buckets=[_bucket(bucket) for bucket in report.buckets],
        family_trends=[
            alignment_pb2.FamilyTrend(
                name=family.name, count=family.count, spearman=family.spearman, slope=family.slope, intercept=family.intercept
            )
            for family in report.families
        ],
        n=report.n,
        k=report.k,
        permutations=spec.permutations,
        seed=spec.seed,
        preprocess=preprocess_number(spec.preprocess),
        engine=report.engine,
        warnings=report.warnings,
        measurement=write_measurement(report.measurement),
        against_name=query.against_name,
        against_kind=_KIND_VALUES[query.against_kind],
        **{name: write_matrix(array) for name, array in matrices.items() if array is not None},
    )


def _interval(limits: tuple[float, float], confidence: float) -> alignment_pb2.Interval:
    return alignment_pb2.Interval(low=limits[0], high=limits[1], confidence=confidence)


def _bucket(bucket: Bucket) -> alignment_pb2.TrendBucket:
    return alignment_pb2.TrendBucket(
        low=bucket.low,
        high=bucket.high,
        members=bucket.members,
        mean=bucket.mean,
        standard_error=bucket.standard_error,
        count=bucket.count,
    )
