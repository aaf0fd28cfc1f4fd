"""The engine in this process, found through the entry-point group `consilience.embedded`; the SDK never imports the server."""

import os
from collections.abc import Callable
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Protocol

import grpc

from consilience._status import error_of_call
from consilience.errors import ConsilienceError, FailedPreconditionError, InvalidArgumentError, MissingExtraError, ServerError

_GROUP = "consilience.embedded"
_REMEDY = "pip install 'consilience[server]'"


class Embedded(Protocol):
    """A server in a private thread of this process."""

    @property
    def target(self) -> str:
        """Its address, `unix:...`."""
        ...

    def close(self) -> None:
        """Drain, give back the writer's lease, end the thread."""
        ...


def folder_path(path: object) -> str:
    """The path as text; InvalidArgumentError where it is none, or names what is no folder."""
    if not isinstance(path, str | Path) or not str(path) or "\0" in str(path):
        raise InvalidArgumentError(f"path is {path!r}; give the path of a folder", field="path")
    if os.path.lexists(path) and not Path(path).is_dir():
        raise InvalidArgumentError(f"{path} is no folder; give a folder to keep spaces in", field="path")
    return str(path)


def open_embedded(path: str) -> Embedded:
    """Start the server on a folder; returns once it is ready.

    Raises:
        MissingExtraError: the extra `server` is not installed.
        FailedPreconditionError: another process holds the folder, a newer version wrote it, or the system refuses it.
    """
    opener: Callable[[str], Embedded] = _load("server")
    try:
        embedded: Embedded = _called(lambda: opener(path))
    except OSError as error:
        raise FailedPreconditionError(f"the folder {path} cannot be opened: {error}") from error
    return embedded


def align_embedded(header: Any, x: Any, y: Any, beside: Any = ()) -> Any:
    """An AlignArraysResponse for two float32 arrays and those beside them, without a server; MissingExtraError likewise."""
    align = _load("align_arrays")
    return _called(lambda: align(header, x, y, beside))


@cache
def _load(name: str) -> Callable[..., Any]:
    """What the entry point names; looked up once, which takes longer than a small alignment."""
    for entry in entry_points(group=_GROUP, name=name):
        try:
            loaded: Callable[..., Any] = entry.load()
        except ImportError as error:
            raise MissingExtraError(
                f"this needs the engine, which misses {error.name or error}: {_REMEDY}", reason="EXTRA_MISSING"
            ) from error
        return loaded
    raise MissingExtraError(f"this needs the engine, which is not installed: {_REMEDY}", reason="EXTRA_MISSING")


def _called(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except ConsilienceError:
        raise
    except grpc.RpcError as error:
        if not hasattr(error, "code"):
            raise ServerError(f"the embedded engine failed: {error}", reason="INTERNAL") from error
        raise error_of_call(error) from None
