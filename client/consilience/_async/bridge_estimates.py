"""The call that foresees a bridge before it is fitted."""

from typing import Any

from consilience import _names
from consilience._async.base import AsyncCalls
from consilience._codec.bridge_estimate import decode_bridge_estimate
from consilience._codec.bridges import encode_pairs
from consilience._methods import ESTIMATE_BRIDGE
from consilience._numbers import UINT64, share, whole
from consilience._results.bridge_estimate import BridgeEstimate
from consilience._results.space import Space, SpaceUse
from consilience.v1 import bridge_estimate_pb2


class AsyncBridgeEstimateCalls(AsyncCalls):
    """Dry runs of fits."""

    async def estimate_bridge(
        self,
        source: str | Space | SpaceUse,
        target: str | Space | SpaceUse,
        pair_ids: Any = None,
        target_ids: Any = None,
        *,
        method: str = "auto",
        recall: float = 0.9,
        k: int = 1,
        seed: int = 0,
        timeout: float | None = None,
    ) -> BridgeEstimate:
        """What a bridge would find, how many pairs a wished recall takes, and what the fit would cost; nothing is kept.

        Aligns the items of the pairs, fits quick methods on parts of them (at most 8,000), and carries the learning curve on to 16 times as
        many. A fifth of the pairs is held out, chosen as `fit_bridge` does with the same seed. Where no pair is known, it tells what would
        be needed. How good such forecasts are: `BridgeEstimate.foreseen`.

        Args:
            source: the space mapped from; `name@7` pins version 7.
            target: the space mapped into.
            pair_ids: item ids known in both spaces; None is all common items.
            target_ids: where ids differ: pair i is (pair_ids[i], target_ids[i]).
            method: as in `fit_bridge`; `auto` is foreseen by Procrustes and ridge, whichever finds more.
            recall: wished, above 0 and below 1.
            k: of that recall, 1 or 10.
            seed: chooses the held-out pairs.
            timeout: seconds; None is ten times the client's.

        Raises:
            InvalidArgumentError: a recall or k that is none, an unknown method, ids that do not belong together, pairs of a single group,
                zero vectors.
            NotFoundError: no such space, or a pair id that is absent from it.
        """
        request = bridge_estimate_pb2.EstimateBridgeRequest(
            source=_names.space_ref(source, "source"),
            target=_names.space_ref(target, "target"),
            pairs=encode_pairs(pair_ids, target_ids),
            method=_names.BRIDGE_METHODS.to_number(method),
            recall=share(recall, "recall"),
            k=whole(k, "k", least=1),
            seed=whole(seed, "seed", most=UINT64),
        )
        message, details = await self._call(ESTIMATE_BRIDGE, request, 10 * self._settings.timeout if timeout is None else timeout)
        return decode_bridge_estimate(message, details)
