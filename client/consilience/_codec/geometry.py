"""The geometry of a space: results."""

from consilience._results.space_geometry import SpaceGeometry
from consilience.v1 import space_pb2


def decode_geometry(message: space_pb2.SpaceGeometry) -> SpaceGeometry:
    """A SpaceGeometry."""
    return SpaceGeometry(
        k=message.k,
        hubness=message.hubness,
        largest_occurrence=message.largest_occurrence,
        antihub_fraction=message.antihub_fraction,
        intrinsic_dimension=message.intrinsic_dimension if message.HasField("intrinsic_dimension") else None,
        intrinsic_dimension_items=message.intrinsic_dimension_items,
        effective_rank=message.effective_rank if message.HasField("effective_rank") else None,
        participation_ratio=message.participation_ratio if message.HasField("participation_ratio") else None,
    )
