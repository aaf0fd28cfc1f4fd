# Generated from _async/spaces.py by client/unasync.py; edit that file.
"""Calls on spaces."""

from consilience import _names
from consilience._sync.base import Calls
from consilience._codec.spaces import decode_space
from consilience._methods import CREATE_SPACE, DELETE_SPACE, GET_SPACE, LIST_SPACES
from consilience._numbers import whole
from consilience._results.space import Space
from consilience.v1 import space_pb2

_PAGE = 1000


class SpaceCalls(Calls):
    """Make, find, list and delete spaces."""

    def create_space(
        self,
        name: str,
        dim: int,
        *,
        kind: str = "vectors",
        similarity: str = "cosine",
        modality: str | None = None,
        model: str | None = None,
        layer: str | None = None,
        group: str | None = None,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> Space:
        """Make an empty space.

        Args:
            name: `[a-z][a-z0-9-]{0,62}`; spaces and bridges share one set of names.
            dim: width of its vectors.
            kind: `vectors`; `kernel` is not served yet.
            similarity: `cosine`, `inner_product` or `squared_l2`.
            modality: kind of input (`text`, `image`), for readers.
            model: the encoder, for readers.
            layer: the encoder's layer, for readers.
            group: the group of spaces (the layers of one model) that it belongs to.
            request_id: makes repeating the call safe across processes; repeats within the call are safe anyway.
            timeout: seconds.

        Raises:
            AlreadyExistsError: a space has this name.
            InvalidArgumentError: a malformed name, a name that a bridge has, a dim beyond the limits, an unknown similarity.
        """
        space = space_pb2.Space(
            kind=_names.SPACE_KINDS.to_number(kind),
            dim=whole(dim, "dim", least=1),
            similarity=_names.SIMILARITIES.to_number(similarity),
            modality=_names.text(modality or "", "modality"),
            model=_names.text(model or "", "model"),
            layer=_names.text(layer or "", "layer"),
            group=_names.text(group or "", "group"),
        )
        request = space_pb2.CreateSpaceRequest(
            space_id=_names.new_name(name, "space_id"), space=space, request_id=_names.request_id(request_id)
        )
        message, details = self._call(CREATE_SPACE, request, timeout)
        return decode_space(message.space, details)

    def get_space(self, space: str | Space, *, timeout: float | None = None) -> Space:
        """A space as it is now; NotFoundError."""
        message, details = self._call(GET_SPACE, space_pb2.GetSpaceRequest(name=_names.space_name(space)), timeout)
        return decode_space(message.space, details)

    def list_spaces(self, *, timeout: float | None = None) -> list[Space]:
        """All spaces by name; asks page by page."""
        spaces: list[Space] = []
        token = ""
        while True:
            request = space_pb2.ListSpacesRequest(page_size=_PAGE, page_token=token)
            message, details = self._call(LIST_SPACES, request, timeout)
            spaces += [decode_space(entry, details) for entry in message.spaces]
            token = message.next_page_token
            if not token:
                return spaces

    def delete_space(self, space: str | Space, *, request_id: str | None = None, timeout: float | None = None) -> None:
        """Remove a space with all its versions; NotFoundError."""
        request = space_pb2.DeleteSpaceRequest(name=_names.space_name(space), request_id=_names.request_id(request_id))
        self._call(DELETE_SPACE, request, timeout)
