"""A Metrics port that only remembers, for tests of use cases."""

from collections import Counter


class SilentMetrics:
    def __init__(self):
        self.rejections = Counter()
        self.cached = Counter()
        self.bytes = {}
        self.seconds = Counter()
        self.states = Counter()

    def stage(self, stage, operation, seconds):
        self.seconds[stage, operation] += seconds

    def cache(self, tier, outcome):
        self.cached[tier, outcome] += 1

    def rows(self, backend, certified, refined):
        pass

    def batch(self, backend, queries):
        pass

    def rejected(self, reason):
        self.rejections[reason] += 1

    def memory(self, kind, value):
        self.bytes[kind] = value

    def store(self, spaces, versions, size):
        pass

    def operations(self, operation, state, change):
        self.states[operation, state] += change
