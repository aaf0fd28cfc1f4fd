# Generated from _async/geometry.py by client/unasync.py; edit that file.
"""Calls on the geometry of one space."""

from consilience import _names
from consilience._sync.alignment import SpaceName
from consilience._sync.base import Calls
from consilience._codec.alignment import check_k
from consilience._codec.space_description import decode_description
from consilience._methods import DESCRIBE_SPACE
from consilience._results.space_description import SpaceDescription
from consilience.v1 import geometry_pb2


class GeometryCalls(Calls):
    """One space by itself."""

    def describe_space(
        self, space: SpaceName, *, k: int = 10, preprocess: str = "none", timeout: float | None = None
    ) -> SpaceDescription:
        """Hubness, intrinsic dimension and effective rank of a space over all its items: the context that its alignments are read in.

        Args:
            space: its name; `name@7` pins version 7.
            k: of the neighbour lists behind hubness.
            preprocess: as in `align`.
            timeout: seconds; None is ten times the client's, for it joins all items with all where no alignment has done so before.

        Raises:
            InvalidArgumentError: k not below the number of items, an unknown preprocessing, vectors that it cannot prepare.
            NotFoundError: no such space.
        """
        request = geometry_pb2.DescribeSpaceRequest(
            space=_names.space_ref(space, "space"), k=check_k(k), preprocess=_names.PREPROCESS.to_number(preprocess)
        )
        message, details = self._call(DESCRIBE_SPACE, request, 10 * self._settings.timeout if timeout is None else timeout)
        return decode_description(message, details)
