"""Pages of embeddings joined to one."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from consilience._results.space import Embeddings


def without_items(page: Embeddings) -> Embeddings:
    """The same space and version, no item of it: (0, dim) vectors."""
    return replace(page, ids=[], vectors=page.vectors[:0], attributes={name: [] for name in page.attributes})


def join_embeddings(pages: Sequence[Embeddings]) -> Embeddings:
    """Consecutive pages of one version as one result; an attribute that a page lacks is None there."""
    if len(pages) == 1:
        return pages[0]
    names = dict.fromkeys(name for page in pages for name in page.attributes)
    attributes: dict[str, list[Any]] = {
        name: [value for page in pages for value in page.attributes.get(name, [None] * len(page))] for name in names
    }
    ids = [item for page in pages for item in page.ids]
    return replace(pages[-1], ids=ids, vectors=np.concatenate([page.vectors for page in pages]), attributes=attributes)
