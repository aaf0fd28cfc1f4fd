"""What both transports tell gRPC: options, credentials, metadata, and what a client may still do."""

import os
from typing import Any

import grpc

from consilience._settings import ClientSettings
from consilience._version import __version__
from consilience.errors import FailedPreconditionError

OPTIONS: tuple[tuple[str, Any], ...] = (
    # The server's limits bind: requests are cut to them, answers never exceed them.
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    # No faster than servers tolerate by default, and only while calls are running.
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.keepalive_permit_without_calls", 0),
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 5_000),
    # Retries are ours (`_retry.py`): gRPC's own know nothing of request ids.
    ("grpc.enable_retries", 0),
    # Clients do not share connections, so that closing one leaves the others alone.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.primary_user_agent", f"consilience/{__version__}"),
)


def credentials(settings: ClientSettings) -> grpc.ChannelCredentials | None:
    """Those of an encrypted channel, None for plaintext."""
    if settings.tls is None:
        return None
    return grpc.ssl_channel_credentials(settings.tls.ca, settings.tls.key, settings.tls.certificate)


def open_channel(settings: ClientSettings, target: str) -> grpc.Channel:
    """A synchronous channel; connects at its first call."""
    secret = credentials(settings)
    return grpc.insecure_channel(target, options=OPTIONS) if secret is None else grpc.secure_channel(target, secret, options=OPTIONS)


def call_metadata(settings: ClientSettings, request_id: str) -> tuple[tuple[str, str], ...]:
    """What every call carries."""
    key = (("authorization", f"Bearer {settings.api_key}"),) if settings.api_key else ()
    return (("x-request-id", request_id), *key)


def check_usable(pid: int, *, closed: bool) -> None:
    """Refuse a client that was closed, or that a fork brought here: gRPC's threads and the embedded server stay with the parent.

    Raises:
        FailedPreconditionError: either of the two.
    """
    if os.getpid() != pid:
        raise FailedPreconditionError(f"this client was opened by process {pid} and cannot be used after a fork; open one in this process")
    if closed:
        raise FailedPreconditionError("this client is closed; open a new one")
