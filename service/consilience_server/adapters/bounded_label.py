"""Label values of metrics come from closed sets; this closes the sets that no list in the code can name."""

import re

OTHER = "other"
_SHAPE = re.compile(r"[a-z][a-z0-9_-]{0,39}")


class BoundedLabel:
    """Lets the first `limit` well-formed values through and makes everything else `other`, so that a mistake cannot flood Prometheus.

    Args:
        limit: distinct values.
        known: values that always pass.
    """

    def __init__(self, limit: int, known: frozenset[str] = frozenset()) -> None:
        self._limit = limit
        self._seen = set(known)

    def __call__(self, value: str) -> str:
        """The value in lower case, or `other`."""
        value = value.lower()
        if value in self._seen:
            return value
        if len(self._seen) < self._limit and _SHAPE.fullmatch(value):
            self._seen.add(value)
            return value
        return OTHER
