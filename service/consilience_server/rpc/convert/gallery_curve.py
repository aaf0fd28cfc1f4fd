"""Alignments over nested galleries of the contract to and from those of the use cases."""

from consilience.v1 import alignment_pb2
from consilience_server.app.gallery_curve_query import GalleryCurveQuery, GalleryCurveReport
from consilience_server.rpc.convert.alignment import read_spec, write_report
from consilience_server.rpc.convert.names import space_query


def read_gallery_curve(request: alignment_pb2.GalleryCurveRequest) -> GalleryCurveQuery:
    """What a request asks; whether the sizes fit the spaces is the use case's to judge."""
    x, y = space_query(request.x, "x"), space_query(request.y, "y")
    return GalleryCurveQuery(x, y, read_spec(request.spec), tuple(request.gallery_sizes))


def encode_gallery_curve(report: GalleryCurveReport) -> bytes:
    """The encoded answer."""
    response = alignment_pb2.GalleryCurveResponse(
        reports=[write_report(each) for each in report.reports],
        lines=[alignment_pb2.GalleryCurveLine(k=line.k, k_fraction=line.k_fraction, ks=line.ks) for line in report.lines],
        warnings=report.warnings,
    )
    return response.SerializeToString(deterministic=True)
