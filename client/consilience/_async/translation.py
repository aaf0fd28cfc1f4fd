"""Calls that bring vectors of one space into another."""

from collections.abc import AsyncIterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consilience import _names
from consilience._async.base import AsyncCalls
from consilience._async.concurrency import blocking
from consilience._batches import upload_seconds
from consilience._methods import TRANSLATE
from consilience._numbers import seconds
from consilience._results.bridge import Bridge
from consilience._results.space import Space, SpaceUse
from consilience._translated_batches import TranslatedBatches, first_message, is_stream, some_rows


class AsyncTranslationCalls(AsyncCalls):
    """Translation through a bridge."""

    async def translate(
        self,
        bridge: str | Bridge,
        vectors: Any,
        *,
        side: str = "source",
        centred: bool = True,
        source: str | Space | SpaceUse | None = None,
        timeout: float | None = None,
    ) -> Any:
        """Vectors of a bridge's source space as unit vectors of its centred target space; with `centred=False` of the target space itself.

        Centred they are what `match` searches with, in float64 in one fixed order and rounded once to float32: the same bits, alone or in
        a batch. Compare them by cosine with target vectors that went through `side="target"`, which subtracts the bridge's target mean; put
        both into an index of your own, and it ranks as `match` does. They are not where the target's own vectors are: to upsert them into
        the target, or to bring them through the next bridge, ask for `centred=False`, which adds the mean again.

        Args:
            bridge: whose map leads into the target space (`bridge.leads_into_target`).
            vectors: (n, d) or (d,), answered by (n, d') float32; or an iterator of such batches, answered by an iterator that brings one
                array a batch as it is ready. Memory then stays at a few batches, however many come.
            side: `source`; or `target` for vectors of the target space, which are centred as the gallery of a match is.
            centred: False tells source vectors where they stand in the target space, of unit length.
            source: the space that the bridge must lead from; one that leads from elsewhere is refused, also where widths are equal. A
                `Bridge` whose name has gone to another one is refused by itself.
            timeout: seconds; None is the client's and what the bytes take, and no limit for an iterator.

        Raises:
            InvalidArgumentError: vectors of another width, say those of the other direction; not finite, or zero; or a bridge whose sides
                meet in a space of their own.
            NotFoundError: no such bridge.
            FailedPreconditionError: the bridge leads from another space than `source`, or is not the `Bridge` given any more.
        """
        first = first_message(bridge, side, source, centred=centred)
        if is_stream(vectors):
            batches = TranslatedBatches(first, await self._limits())
            return self._translated(batches, vectors, None if timeout is None else seconds(timeout))
        whole = some_rows(vectors)
        limit = upload_seconds(self._settings.timeout, 2 * whole.data.nbytes) if timeout is None else seconds(timeout)

        async def attempt(remaining: float, request_id: str) -> NDArray[np.float32]:
            again = TranslatedBatches(first, await self._limits())
            answers = self._transport.exchange(TRANSLATE, again.requests([whole]), remaining, request_id)
            found = [block async for answer in answers if (block := again.add(answer)) is not None]
            again.finish()
            return found[0]

        return await self._retried(TRANSLATE, attempt, limit)

    async def _translated(self, batches: TranslatedBatches, vectors: Any, timeout: float | None) -> AsyncIterator[NDArray[np.float32]]:
        """One array a batch."""
        requests = batches.requests(blocking(vectors))
        async for answer in self._transport.exchange(TRANSLATE, requests, timeout, _names.new_request_id()):
            block = batches.add(answer)
            if block is not None:
                yield block
        batches.finish()
