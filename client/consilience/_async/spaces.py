"""Calls on spaces."""

from typing import Any

from consilience import _names
from consilience._async.base import AsyncCalls
from consilience._codec.spaces import decode_space
from consilience._convert import to_ids
from consilience._methods import CREATE_SPACE, DELETE_SPACE, GET_SPACE, LIST_SPACES
from consilience._numbers import whole
from consilience._results.space import Space
from consilience.errors import InvalidArgumentError
from consilience.v1 import space_pb2

_PAGE = 1000


class AsyncSpaceCalls(AsyncCalls):
    """Make, find, list and delete spaces."""

    async def create_space(
        self,
        name: str,
        dim: int | None = None,
        *,
        kind: str = "vectors",
        similarity: str = "cosine",
        modality: str | None = None,
        model: str | None = None,
        layer: str | None = None,
        group: str | None = None,
        dissimilarity: bool = False,
        dissimilarity_kind: str | None = None,
        repeats: Any = None,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> Space:
        """Make an empty space.

        Args:
            name: `[a-z][a-z0-9-]{0,62}`; spaces and bridges share one set of names.
            dim: width of its vectors; of a kernel there is none.
            kind: `vectors`, or `kernel`: a matrix of similarities or dissimilarities of the items (an RDM, judgements)
                instead of vectors.
            similarity: `cosine`, `inner_product` or `squared_l2`; says nothing of a kernel.
            modality: kind of input (`text`, `image`), for readers.
            model: the encoder, for readers.
            layer: the encoder's layer, for readers.
            group: the group of spaces (the layers of one model) that it belongs to.
            dissimilarity: the entries of a kernel are dissimilarities: smaller is nearer, zero on the diagonal.
            dissimilarity_kind: `euclidean` (distances of points) or `squared_euclidean`, where that is so: it decides the kernel that CKA
                compares, -d^2/2 or -d, centred. None is any other dissimilarity: -d.
            repeats: names of subjects, sessions or raters, where a kernel was measured several times; what needs one
                matrix gets their mean.
            request_id: makes repeating the call safe across processes; repeats within the call are safe anyway.
            timeout: seconds.

        Raises:
            AlreadyExistsError: a space has this name.
            InvalidArgumentError: a malformed name, a name that a bridge has, a dim beyond the limits, an unknown similarity.
        """
        is_kernel = _names.SPACE_KINDS.to_number(kind) == space_pb2.SPACE_KIND_KERNEL
        if dim is None and not is_kernel:
            raise InvalidArgumentError("dim is missing; give the width of the vectors", field="dim")
        similarity_number = _names.SIMILARITIES.to_number(similarity)
        distances = None if dissimilarity_kind is None else _names.DISSIMILARITY_KINDS.to_number(dissimilarity_kind)
        space = space_pb2.Space(
            kind=_names.SPACE_KINDS.to_number(kind),
            dim=0 if dim is None else whole(dim, "dim", least=1),
            similarity=None if is_kernel else similarity_number,
            dissimilarity=dissimilarity,
            dissimilarity_kind=distances,
            repeats=None if repeats is None else to_ids(repeats, "repeats"),
            modality=_names.text(modality or "", "modality"),
            model=_names.text(model or "", "model"),
            layer=_names.text(layer or "", "layer"),
            group=_names.text(group or "", "group"),
        )
        request = space_pb2.CreateSpaceRequest(
            space_id=_names.new_name(name, "space_id"), space=space, request_id=_names.request_id(request_id)
        )
        message, details = await self._call(CREATE_SPACE, request, timeout)
        return decode_space(message.space, details)

    async def get_space(self, space: str | Space, *, timeout: float | None = None) -> Space:
        """A space as it is now; NotFoundError."""
        message, details = await self._call(GET_SPACE, space_pb2.GetSpaceRequest(name=_names.space_name(space)), timeout)
        return decode_space(message.space, details)

    async def list_spaces(self, *, timeout: float | None = None) -> list[Space]:
        """All spaces by name; asks page by page."""
        spaces: list[Space] = []
        token = ""
        while True:
            request = space_pb2.ListSpacesRequest(page_size=_PAGE, page_token=token)
            message, details = await self._call(LIST_SPACES, request, timeout)
            spaces += [decode_space(entry, details) for entry in message.spaces]
            token = message.next_page_token
            if not token:
                return spaces

    async def delete_space(self, space: str | Space, *, request_id: str | None = None, timeout: float | None = None) -> None:
        """Remove a space with all its versions; NotFoundError."""
        request = space_pb2.DeleteSpaceRequest(name=_names.space_name(space), request_id=_names.request_id(request_id))
        await self._call(DELETE_SPACE, request, timeout)
