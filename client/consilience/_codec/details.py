"""How a call went, from its trailing metadata."""

from collections.abc import Iterable
from types import MappingProxyType

from consilience._results.base import CallDetails

_STAGE = "consilience-stage-"
_SECONDS = "-seconds"


def decode_details(metadata: Iterable[tuple[str, str | bytes]] | None) -> CallDetails:
    """Trailing metadata as CallDetails; unknown keys are passed over."""
    timings: dict[str, float] = {}
    request_id, tier = "", ""
    for key, value in metadata or ():
        if isinstance(value, bytes):
            continue
        if key == "x-request-id":
            request_id = value
        elif key == "consilience-cache-tier":
            tier = value
        elif key == "consilience-total-seconds":
            timings["total"] = float(value)
        elif key.startswith(_STAGE) and key.endswith(_SECONDS):
            timings[key.removeprefix(_STAGE).removesuffix(_SECONDS)] = float(value)
    return CallDetails(request_id, MappingProxyType(timings), tier)
