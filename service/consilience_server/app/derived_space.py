"""Spaces that the server makes itself, kept like uploads."""

import contextlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.call import Call
from consilience_server.app.ports import Batch, SpaceRecord, SpaceSpec
from consilience_server.app.spaces import Spaces
from consilience_server.core.errors import SpaceExists, SpaceNotFound, UploadNotFound

_BATCH_BYTES = 16 << 20


class DerivedSpaces:
    """Makes a space and fills it as one version, safe to repeat under one request id."""

    def __init__(self, spaces: Spaces) -> None:
        self._spaces = spaces

    async def check_new(self, call: Call, name: str, request_id: str) -> None:
        """The name is free, or what stands there came from this request. SpaceExists, before anything is computed."""
        try:
            record = await self._spaces.get(call, name)
        except SpaceNotFound:
            return
        if record.version:
            try:
                await self._spaces.upload_state(call, name, request_id)
            except UploadNotFound:
                raise SpaceExists(f"a space named {name!r} is there already; choose another name, or delete it first") from None

    async def keep(
        self, call: Call, spec: SpaceSpec, ids: Sequence[str] | NDArray[np.object_], vectors: NDArray[np.float32], request_id: str
    ) -> SpaceRecord:
        """The space with its items, as one version.

        Args:
            call: the caller.
            spec: the new space.
            ids: (n,) of the items.
            vectors: (n, dim) float32.
            request_id: of the upload; the same again answers the same space.

        Raises:
            InvalidName, SpaceExists, StoreReadOnly, StorageFull.
        """
        with contextlib.suppress(SpaceNotFound, UploadNotFound):
            state, record = await self._spaces.upload_state(call, spec.name, request_id)
            if state.committed is not None:
                return record
        await self._spaces.create(call, spec, request_id)
        state = await self._spaces.open_upload(call, spec.name, request_id)
        if state.committed is None:
            rows = max(1, min(_BATCH_BYTES // (4 * vectors.shape[1]), 1 << 16))
            for start in range(state.staged_rows, len(ids), rows):
                part = [str(item) for item in ids[start : start + rows]]
                await self._spaces.stage(call, spec.name, request_id, start, Batch(part, vectors[start : start + rows]))
        _, record = await self._spaces.commit(call, spec.name, request_id, len(ids))
        return record
