"""The one door to the native kernels, which may not be there."""

import importlib
import importlib.util
import os
from types import ModuleType

from consilience_server.core.errors import InvalidArgument

_PACKAGE = "consilience_kernels"
_ISA = "CONSILIENCE_KERNELS_ISA"
NOT_BUILT = "not built"


def load_kernels() -> ModuleType | None:
    """The kernels' module, or None where they are not installed."""
    if importlib.util.find_spec(_PACKAGE) is None:
        return None
    return importlib.import_module(_PACKAGE)


def chosen_isa(kernels: ModuleType) -> str:
    """The instruction set that the kernels use: the best of this processor, unless CONSILIENCE_KERNELS_ISA names another one.

    Raises:
        InvalidArgument: if the variable names one that this processor does not run.
    """
    supported: list[str] = kernels.supported()
    wanted = os.environ.get(_ISA, supported[0])
    if wanted not in supported:
        raise InvalidArgument(f"{_ISA} = {wanted!r}, but this processor runs {', '.join(supported)}", field=_ISA)
    return wanted


def kernels_status() -> str:
    """What to tell people: the instruction set in use, or `not built`."""
    kernels = load_kernels()
    return NOT_BUILT if kernels is None else chosen_isa(kernels)
