"""The native kernels of Consilience; `_kernels.pyi` has the contracts."""

from consilience_kernels._kernels import NeighbourSearch, ScanCopy, supported

__all__ = ["NeighbourSearch", "ScanCopy", "supported"]
