"""One space by itself: results."""

from consilience import _names
from consilience._codec.alignment import decode_certificate
from consilience._codec.geometry import decode_geometry
from consilience._codec.spaces import decode_space_use
from consilience._results.base import NO_DETAILS, CallDetails
from consilience._results.space_description import SpaceDescription
from consilience.v1 import geometry_pb2


def decode_description(message: geometry_pb2.DescribeSpaceResponse, details: CallDetails = NO_DETAILS) -> SpaceDescription:
    """A SpaceDescription."""
    return SpaceDescription(
        geometry=decode_geometry(message.geometry),
        space=decode_space_use(message.space),
        n=message.n,
        dim=message.dim,
        preprocess=_names.PREPROCESS.to_name(message.preprocess),
        engine=message.engine,
        certificate=decode_certificate(message, "certificate"),
        details=details,
    )
