"""Timestamps of the contract."""

from datetime import UTC, datetime
from typing import Any


def to_datetime(message: Any, field: str) -> datetime | None:
    """A timestamp field as an aware UTC datetime, None where it is not set."""
    return getattr(message, field).ToDatetime(tzinfo=UTC) if message.HasField(field) else None
