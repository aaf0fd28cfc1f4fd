"""Any sequence of uploads, deletes, maintenance, pins and restarts leaves what a dictionary of versions would hold."""

import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from support.store_content import DIM, batch, content, spec

from consilience_server.adapters.lance_store import LanceStore
from consilience_server.app.ports import DeleteOutcome, UpsertOutcome
from consilience_server.core.errors import VersionExpired

IDS = st.sampled_from(["a", "b", "B", "ab", "é", "Ω", "\U0001f600", "\uffff", "z'z", "0"])
# Few values, so that replacing by the same is common.
VALUES = st.sampled_from([0.0, -0.0, 1.0, 2.5])
NUMBERS = st.sampled_from([None, 0, 1, -(2**63)])


class StoreMachine(RuleBasedStateMachine):
    @initialize()
    def begin(self):
        self.folder = Path(tempfile.mkdtemp(prefix="store-model-"))
        self.pins = ExitStack()
        self.pinned = set()
        self.store = LanceStore(self.folder)
        self.store.create(spec())
        self.versions = {0: {}}
        self.newest, self.requests, self.has_column = 0, 0, False
        self.removed = set()

    def publish(self, items):
        if items != self.versions[self.newest]:
            self.newest += 1
            self.versions[self.newest] = items

    @rule(
        rows=st.dictionaries(IDS, st.tuples(VALUES, NUMBERS), max_size=6),
        cut=st.integers(0, 6),
        with_column=st.booleans(),
        restart=st.booleans(),
    )
    def upload(self, rows, cut, with_column, restart):
        self.requests += 1
        request = str(self.requests)
        ids = list(rows)
        self.store.open_upload("a", request)
        row = 0
        for part in (ids[:cut], ids[cut:]):
            columns = {"n": ("integer", [rows[item][1] for item in part])} if with_column else {}
            matrix = np.array([[rows[item][0], 1, 1, 1] for item in part]).reshape(-1, DIM)
            row = self.store.stage("a", request, row, batch(part, matrix, **columns))
        if restart:
            self.reopen()
        before = self.versions[self.newest]
        items, inserted, replaced = dict(before), 0, 0
        for item in ids:
            vector = np.array([rows[item][0], 1, 1, 1], dtype=np.float32).tobytes()
            number = rows[item][1] if with_column else before.get(item, (b"", None))[1]
            inserted += item not in before
            replaced += item in before and before[item] != (vector, number)
            items[item] = (vector, number)
        self.publish(items)
        wanted = UpsertOutcome(self.newest, inserted, replaced, len(ids) - inserted - replaced)
        assert self.store.commit("a", request) == wanted
        assert self.store.commit("a", request) == wanted

    @rule(ids=st.lists(IDS, max_size=4))
    def delete(self, ids):
        before = self.versions[self.newest]
        gone = set(ids) & set(before)
        self.publish({item: row for item, row in before.items() if item not in gone})
        assert self.store.delete_items("a", ids) == DeleteOutcome(self.newest, len(gone), len(set(ids)) - len(gone))

    @rule()
    def maintain(self):
        self.store.maintain(0, 3600)
        self.removed |= set(range(1, self.newest)) - self.pinned

    @rule(data=st.data())
    def pin(self, data):
        alive = sorted(set(self.versions) - self.removed - {0})
        if alive:
            version = data.draw(st.sampled_from(alive))
            self.pins.enter_context(self.store.pin(self.store.get("a").uid, version))
            self.pinned.add(version)

    @rule()
    def reopen(self):
        self.pins.close()
        self.pinned.clear()
        self.store.close()
        self.store = LanceStore(self.folder)

    def assert_version(self, version):
        vectors = content(self.store, "a", version)
        columns = self.store.attributes("a", version, list(vectors))
        numbers = columns["n"].values if "n" in columns else [None] * len(vectors)
        found = {item: (row, number) for (item, row), number in zip(vectors.items(), numbers, strict=True)}
        assert found == self.versions[version]

    @invariant()
    def every_version_is_the_model_or_expired(self):
        record = self.store.get("a")
        assert (record.version, record.item_count) == (self.newest, len(self.versions[self.newest]))
        # To ask for version 0 is to ask for the newest.
        for version in range(min(1, self.newest), self.newest + 1):
            if version in self.removed:
                with pytest.raises(VersionExpired):
                    self.store.load("a", version)
            else:
                self.assert_version(version)

    def teardown(self):
        if hasattr(self, "store"):
            self.pins.close()
            self.store.close()
            shutil.rmtree(self.folder)


TestStore = StoreMachine.TestCase
TestStore.settings = settings(
    max_examples=9, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
