"""Checkpoints in a dictionary, copied in and out as a file would be."""


class MemoryCheckpoints:
    """`saved` counts; `states` is what would lie on disk now."""

    def __init__(self):
        self.states, self.saved = {}, 0

    def load(self, key):
        return self.states.get(key)

    def save(self, key, state):
        self.states[key] = {name: array.copy() for name, array in state.items()}
        self.saved += 1

    def remove(self, key):
        self.states.pop(key, None)
