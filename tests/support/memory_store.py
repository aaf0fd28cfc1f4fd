"""A SpaceStore of dictionaries: the plain twin that use cases are tested on."""

from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from consilience_server.app.ports import Batch, DeleteOutcome, SpaceData, SpaceRecord, UploadState, UpsertOutcome
from consilience_server.app.upload_digest import UploadDigest
from consilience_server.core.errors import SpaceExists, SpaceNotFound, UploadConflict, UploadNotFound, VersionExpired


class MemoryStore:
    read_only = False

    def __init__(self):
        self.deletions = {}
        self.records, self.versions, self.uploads, self.pins, self.loads = {}, {}, {}, Counter(), Counter()

    def create(self, spec, request_id=""):
        if spec.name in self.records:
            raise SpaceExists(spec.name)
        now = datetime.now(UTC)
        record = SpaceRecord(spec, f"uid-{len(self.versions)}", 0, 0, now, now)
        self.records[spec.name] = record
        self.versions[record.uid] = {0: {}}
        return record

    def get(self, name):
        if name not in self.records:
            raise SpaceNotFound(name)
        return self.records[name]

    def known(self, name):
        return None

    def list(self, after, limit):
        return [self.records[name] for name in sorted(self.records) if name > after][:limit]

    def delete(self, name, request_id=""):
        if request_id and self.deletions.get(request_id) == name:
            return
        self.get(name)
        del self.records[name]
        self.deletions[request_id] = name

    def open_upload(self, space, request_id):
        self.get(space)
        self.uploads.setdefault((space, request_id), ([], None))
        return self.upload_state(space, request_id)

    def stage(self, space, request_id, first_row, batch):
        rows, _ = self.uploads[space, request_id]
        if first_row != len(rows):
            raise UploadConflict(f"{first_row} does not continue {len(rows)}")
        rows += zip(batch.ids, batch.vectors, strict=True)
        return len(rows)

    def commit(self, space, request_id):
        rows, committed = self.uploads[space, request_id]
        if committed is None:
            record = self.get(space)
            items = dict(self.versions[record.uid][record.version])
            inserted = sum(item not in items for item, _ in rows)
            items.update(rows)
            committed = UpsertOutcome(record.version + 1, inserted, len(rows) - inserted, 0)
            self._publish(record, items)
            self.uploads[space, request_id] = (rows, committed)
        return committed

    def _publish(self, record, items):
        self.versions[record.uid][record.version + 1] = items
        self.records[record.spec.name] = replace(record, version=record.version + 1, item_count=len(items))

    def upload_state(self, space, request_id):
        if (space, request_id) not in self.uploads:
            raise UploadNotFound(request_id)
        rows, committed = self.uploads[space, request_id]
        digest = UploadDigest()
        digest.add(Batch([item for item, _ in rows], np.array([vector for _, vector in rows])))
        return UploadState(len(rows), committed, digest.hexdigest() if committed else "")

    def discard_upload(self, space, request_id):
        self.upload_state(space, request_id)
        del self.uploads[space, request_id]

    def delete_items(self, space, ids, request_id=""):
        record = self.get(space)
        items = dict(self.versions[record.uid][record.version])
        deleted = sum(items.pop(item, None) is not None for item in ids)
        self._publish(record, items)
        return DeleteOutcome(record.version + 1, deleted, len(ids) - deleted)

    def count(self, space, version):
        record = self.get(space)
        if version not in self.versions[record.uid]:
            raise VersionExpired(f"{space}@{version}")
        return len(self.versions[record.uid][version])

    def load(self, space, version=0):
        record = self.get(space)
        version = version or record.version
        if version not in self.versions[record.uid]:
            raise VersionExpired(f"{space}@{version}")
        self.loads[space, version] += 1
        items = sorted(self.versions[record.uid][version].items())
        ids = np.array([item for item, _ in items], dtype=object)
        vectors = np.array([vector for _, vector in items], dtype=np.float32).reshape(len(items), record.spec.dim)
        return SpaceData(record, version, ids, vectors)

    def attributes(self, space, version, ids):
        return {}

    @contextmanager
    def pin(self, uid, version):
        self.pins[uid, version] += 1
        yield
        self.pins[uid, version] -= 1

    def put(self, name, ids, vectors):
        """All at once, for tests that are about something else."""
        record = self.get(name)
        items = dict(self.versions[record.uid][record.version])
        items.update(zip(ids, np.asarray(vectors, dtype=np.float32), strict=True))
        self._publish(record, items)
