"""The port Metrics, remembered instead of exported."""

from collections import Counter


class RecordedMetrics:
    """Counts cache outcomes by (tier, outcome); keeps the rest as lists and last values."""

    def __init__(self) -> None:
        self.cached: Counter[tuple[str, str]] = Counter()
        self.stages: list[tuple[str, str, float]] = []
        self.memory_bytes: dict[str, int] = {}

    def cache(self, tier: str, outcome: str) -> None:
        self.cached[tier, outcome] += 1

    def stage(self, stage: str, operation: str, seconds: float) -> None:
        self.stages.append((stage, operation, seconds))

    def memory(self, kind: str, value: int) -> None:
        self.memory_bytes[kind] = value

    def rows(self, backend: str, certified: int, refined: int) -> None: ...

    def batch(self, backend: str, queries: int) -> None: ...

    def rejected(self, reason: str) -> None: ...

    def store(self, spaces: int, versions: int, size: int) -> None: ...

    def operations(self, operation: str, state: str, change: int) -> None: ...
