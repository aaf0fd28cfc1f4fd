"""Arrays beside two that are aligned: controls, and one beyond which they are aligned."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.alignment_spec import Side
from consilience_server.app.array_layers import ArrayLayers, cut_layers
from consilience_server.app.controls import MOST_CONTROLS
from consilience_server.app.layered_controls import LayeredControl
from consilience_server.app.validation import check_vectors
from consilience_server.core.errors import InvalidArgument
from consilience_server.core.similarity import Similarity
from consilience_server.engine.snapshot import Snapshot


@dataclass(frozen=True)
class ArrayControl:
    """(n, d) array of a control by its name, the side whose place it takes, and how its columns fall into layers, if they do."""

    name: str
    in_place_of: Side
    array: NDArray[np.float32]
    layers: ArrayLayers | None = None


@dataclass(frozen=True)
class ArraysBeside:
    """Controls, and an (n, d) array beyond which two are aligned; row i of all is the same item."""

    controls: tuple[ArrayControl, ...] = ()
    given: NDArray[np.float32] | None = None

    @property
    def has_layers(self) -> bool:
        """Whether a control has."""
        return any(control.layers is not None for control in self.controls)

    def __bool__(self) -> bool:
        return bool(self.controls) or self.given is not None


NOTHING_BESIDE = ArraysBeside()


def snapshots_beside(beside: ArraysBeside, similarity: Similarity, ids: NDArray[np.object_], digest: str) -> list[Snapshot]:
    """The controls in their order, then the given array where there is one; each known by its content, like x and y.

    Raises:
        InvalidArgument: too many controls, or two of one name. NotFinite, ZeroVector.
    """
    _check_names(beside)
    found = []
    for field, name, array in _named(beside):
        check_vectors(array, similarity, None, field)
        found.append(Snapshot(name, f"beside-{_content(array, ids)}-{digest}", 0, similarity, ids, array))
    return found


def sides_beside(
    beside: ArraysBeside, similarity: Similarity, ids: NDArray[np.object_], digest: str
) -> tuple[list[LayeredControl], Snapshot | None]:
    """The same beside sides with layers: the controls, each cut into its own, and the given array. ShapeMismatch beside the others."""
    _check_names(beside)
    controls = []
    for number, control in enumerate(beside.controls):
        content = f"{_content(control.array, ids)}-{digest}"
        side = cut_layers(f"controls[{number}]", control.array, control.layers, similarity, None, ids, content, control.name)
        controls.append(LayeredControl(side, control.in_place_of))
    given = snapshots_beside(ArraysBeside(given=beside.given), similarity, ids, digest)
    return controls, given[0] if given else None


def _check_names(beside: ArraysBeside) -> None:
    names = [control.name for control in beside.controls]
    if len(names) > MOST_CONTROLS or len(set(names)) < len(names):
        raise InvalidArgument(f"{len(names)} controls; name each once, {MOST_CONTROLS} at the most", field="header.controls")


def _content(array: NDArray[np.float32], ids: NDArray[np.object_]) -> str:
    """A digest by the items' own order, so that neither tables nor ties depend on that of the rows."""
    return hashlib.blake2b(array[np.argsort(ids, kind="stable")].tobytes(), digest_size=12).hexdigest()


def _named(beside: ArraysBeside) -> Iterator[tuple[str, str, NDArray[np.float32]]]:
    for number, control in enumerate(beside.controls):
        yield f"controls[{number}]", control.name, control.array
    if beside.given is not None:
        yield "given", "given", beside.given
