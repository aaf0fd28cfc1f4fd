"""Times of the use cases as the contract's timestamps."""

from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp


def timestamp(time: datetime) -> Timestamp:
    """An aware time, to the microsecond."""
    written = Timestamp()
    written.FromDatetime(time)
    return written
