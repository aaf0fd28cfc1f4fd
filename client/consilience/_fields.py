"""Errors name the argument at fault as the SDK's call spells it, whatever the field of the request is called."""

from collections.abc import Iterator
from contextlib import contextmanager

from consilience.errors import ConsilienceError, NotFoundError

_PREFIXES = ("header.", "spec.", "predictivity.", "space.", "batch.", "pairs.", "expected_bridge.")
"""Messages that a call's arguments are spread over, from the outermost in."""

_ARGUMENTS = {
    "ks": "k",
    "k_fractions": "k",
    "all_items": "sample_items",
    "skip_permutations": "permutations",
    "within_groups": "within",
    "fold_groups": "folds_by",
    "x_kernel.dissimilarity_kind": "x_kernel",
    "y_kernel.dissimilarity_kind": "y_kernel",
    "gallery_sizes": "sizes",
    "bucket_count": "buckets",
    "bucket_edges": "buckets",
    "slice_by": "slices",
    "slice_prefix": "prefix",
    "old_version": "old",
    "new_version": "new",
    "skip_bootstrap": "draws",
    "consensus_space_id": "name",
    "space_id": "name",
    "bridge_id": "name",
    "attribute": "pair_attribute",
    "watch_id": "name",
    "item_ids": "pair_ids",
    "pairs": "pair_ids",
    "labels_attribute": "labels",
    "uncentred": "centred",
}
"""Fields of the contract whose argument is called otherwise, without their prefixes."""


def argument_of(field: str) -> str:
    """The argument that a field of a request comes from: `spec.ks` is `k`, `spaces[2]` itself."""
    name = field
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    return _ARGUMENTS.get(name, name)


@contextmanager
def argument_called(**names: str) -> Iterator[None]:
    """Within it, errors name an argument as this call does: `argument_called(k="ks")`."""
    try:
        yield
    except ConsilienceError as error:
        error.field = names.get(error.field or "", error.field)
        raise


@contextmanager
def creation_told() -> Iterator[None]:
    """Within it, a space that is missing is told together with what would make it."""
    try:
        yield
    except NotFoundError as error:
        if error.reason == "SPACE_NOT_FOUND":
            error.message += "; create=True (--create on the command line) makes it"
        raise
