"""Counts in sentences."""


def counted(count: int, one: str, many: str) -> str:
    """`1 pair was`, `2,000 pairs were`.

    Args:
        count: how many.
        one: what follows 1.
        many: what follows every other count.
    """
    return f"{count:,} {one if count == 1 else many}"
