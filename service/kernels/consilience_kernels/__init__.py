"""The native kernels of Consilience; `_kernels.pyi` has the contracts."""

from consilience_kernels._kernels import (
    NeighbourSearch,
    ScanCopy,
    draw_permutations,
    permuted_shared_items,
    shared_items,
    supported,
)

__all__ = ["NeighbourSearch", "ScanCopy", "draw_permutations", "permuted_shared_items", "shared_items", "supported"]
