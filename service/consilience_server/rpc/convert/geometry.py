"""The geometry of a space of the contract to and from that of the use cases."""

from consilience.v1 import geometry_pb2
from consilience_server.app.geometry import SpaceDescription
from consilience_server.app.reports import PreprocessName
from consilience_server.rpc.convert.alignment import preprocess_number, read_preprocess, write_certificate
from consilience_server.rpc.convert.names import space_use
from consilience_server.rpc.convert.space_geometry import write_geometry

_DEFAULT_K = 10


def read_description_query(request: geometry_pb2.DescribeSpaceRequest) -> tuple[int, PreprocessName]:
    """K and preprocessing, the contract's defaults filled in."""
    return request.k or _DEFAULT_K, read_preprocess(request.preprocess, "preprocess")


def write_description(told: SpaceDescription) -> geometry_pb2.DescribeSpaceResponse:
    """One space by itself."""
    return geometry_pb2.DescribeSpaceResponse(
        geometry=write_geometry(told.geometry),
        space=space_use(told.space),
        n=told.n,
        dim=told.dim,
        preprocess=preprocess_number(told.preprocess),
        certificate=write_certificate(told.certificate),
        engine=told.engine,
    )
