"""Maps one after the other."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from consilience_server.bridges.space_map import SpaceMap, Tensors
from consilience_server.bridges.steps import SideName, Step, Uncentre


@dataclass(frozen=True)
class ChainMap:
    """Maps one after the other: each but the last leads into the space that the next starts from.

    Between two, a row is brought back to where it stands in that space (`Uncentre`), so the chain is what translating through one map
    after the other does, `uncentred` but for the last, without rounding to float32 between. The gallery is that of the last.

    Attributes:
        parts: two or more; all but the last lead into their target, whose width is that of the next one's source.
    """

    kind: ClassVar[str] = "chain"

    parts: tuple[SpaceMap, ...]

    @property
    def source_mean(self) -> NDArray[np.float64]:
        """Of the first."""
        return self.parts[0].source_mean

    @property
    def target_mean(self) -> NDArray[np.float64]:
        """Of the last."""
        return self.parts[-1].target_mean

    @property
    def width(self) -> int:
        """Of the last."""
        return self.parts[-1].width

    @property
    def leads_into_target(self) -> bool:
        """Whether the last does."""
        return self.parts[-1].leads_into_target

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return sum(part.nbytes for part in self.parts)

    def steps(self, side: SideName) -> tuple[Step, ...]:
        """Those of all parts, with the way back between them; of the target's side those of the last."""
        if side == "target":
            return tuple(self.parts[-1].steps(side))
        through: list[Step] = []
        for part in self.parts[:-1]:
            through += [*part.steps(side), Uncentre(part.target_mean)]
        return (*through, *self.parts[-1].steps(side))

    def tensors(self) -> Tensors:
        """Those of the parts, named `position:kind:name`."""
        return {f"{at}:{part.kind}:{name}": tensor for at, part in enumerate(self.parts) for name, tensor in part.tensors().items()}


def parts_of(tensors: Tensors) -> list[tuple[str, dict[str, np.ndarray[Any, Any]]]]:
    """Kind and tensors of every part of the chain that told these."""
    parts: dict[int, tuple[str, dict[str, np.ndarray[Any, Any]]]] = {}
    for key, tensor in tensors.items():
        at, kind, name = key.split(":", 2)
        parts.setdefault(int(at), (kind, {}))[1][name] = tensor
    return [parts[at] for at in sorted(parts)]
