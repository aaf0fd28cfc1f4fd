"""The shape of one space, as the contract tells it."""

from consilience.v1 import space_pb2
from consilience_server.core.space_geometry import SpaceGeometry


def write_geometry(geometry: SpaceGeometry) -> space_pb2.SpaceGeometry:
    """All that is known of it."""
    return space_pb2.SpaceGeometry(
        k=geometry.k,
        hubness=geometry.hubness,
        largest_occurrence=geometry.largest_occurrence,
        antihub_fraction=geometry.antihub_fraction,
        intrinsic_dimension=geometry.intrinsic_dimension,
        intrinsic_dimension_items=geometry.intrinsic_dimension_items,
        effective_rank=geometry.effective_rank,
        participation_ratio=geometry.participation_ratio,
    )
