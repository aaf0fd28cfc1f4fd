"""A seeded sequence of writes to one space, and the plain model of what each must leave behind."""

from dataclasses import dataclass, field

import numpy as np
from support.store_content import DIM, batch, content, spec

from consilience_server.core.errors import SpaceExists

POOL = [f"item-{number:02d}" for number in range(24)]


@dataclass
class Model:
    """id -> (bytes of the vector, attribute n)."""

    version: int = 0
    items: dict = field(default_factory=dict)

    def after(self, step):
        items = dict(self.items)
        for part in step.batches:
            for row, item in enumerate(part.ids):
                kept = items.get(item, (b"", None))[1]
                column = part.attributes.get("n")
                items[item] = (part.vectors[row].tobytes(), kept if column is None else column.values[row])
        for item in step.deleted:
            items.pop(item, None)
        return Model(self.version + (items != self.items), items)


@dataclass
class Step:
    number: int
    batches: list = field(default_factory=list)
    deleted: list = field(default_factory=list)
    maintain: bool = False

    def run(self, store, staged=lambda rows: None):
        """Repeatable: goes on with what an interrupted run of the same step has staged."""
        if self.batches:
            row = store.open_upload("a", str(self.number)).staged_rows
            before = 0
            for part in self.batches:
                if row == before:
                    row = store.stage("a", str(self.number), row, part)
                    staged(row)
                before += len(part.ids)
            store.commit("a", str(self.number))
        if self.deleted:
            store.delete_items("a", self.deleted, str(self.number))
        if self.maintain:
            store.maintain(0, 3600)


def _scripted():
    """History of two uploads; then an upload that inserts, replaces, keeps and adds a column, a delete, and maintenance that compacts."""
    first = np.arange(10 * DIM, dtype=np.float32).reshape(10, DIM) + 1
    ids = POOL[:10]
    numbers = {"n": ("integer", [1, None, 3])}
    return [
        Step(0, [batch(ids[:6], first[:6]), batch(ids[6:], first[6:])]),
        Step(1, [batch(ids[:1], -first[:1])]),
        Step(2, [batch([ids[1], "new-1", ids[3]], -first[1:4], **numbers), batch([ids[4], "new-2"], first[4:6])]),
        Step(3, deleted=[*ids[5:8], "absent"]),
        Step(4, maintain=True),
    ]


SCRIPT = _scripted()


def step(seed, number):
    """The step of this number of a random sequence, or of the script where `seed` is None."""
    if seed is None:
        return SCRIPT[number]
    rng = np.random.default_rng([seed, number])
    kind = rng.random()
    if kind < 0.15:
        return Step(number, maintain=True)
    chosen = list(rng.permutation(POOL)[: rng.integers(1, 13)])
    if kind < 0.3:
        return Step(number, deleted=[str(item) for item in chosen[:5]])
    batches = []
    for ids in np.array_split(chosen, rng.integers(1, 4)):
        if len(ids):
            columns = {"n": ("integer", [int(value) for value in rng.integers(0, 9, len(ids))])} if rng.random() < 0.5 else {}
            batches.append(batch([str(item) for item in ids], rng.standard_normal((len(ids), DIM)), **columns))
    return Step(number, batches)


def ensure_space(store):
    try:
        store.create(spec())
    except SpaceExists:
        return


def stored(store):
    """The space as a model; `content` checks the order of rows, a dictionary of as many items that none stands twice."""
    record = store.get("a")
    vectors = content(store, "a")
    assert len(vectors) == record.item_count
    columns = store.attributes("a", 0, list(vectors))
    numbers = columns["n"].values if "n" in columns else [None] * len(vectors)
    return Model(record.version, {item: (row, number) for (item, row), number in zip(vectors.items(), numbers, strict=True)})
