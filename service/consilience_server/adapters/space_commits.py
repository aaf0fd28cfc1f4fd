"""How a space changes: every change is prepared beside what is there, made durable, and becomes visible by one row of the catalog."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pyarrow as pa

from consilience_server.adapters.durable_files import remove_tree
from consilience_server.adapters.lance_files import FileChecks, create_dataset, empty_dataset, open_version, secure_files, sweep
from consilience_server.adapters.lance_rows import append_fragments, find_ids, fragmentation, remove_ids, stored_ids, write_rows
from consilience_server.adapters.request_ledger import Receipt, RequestLedger
from consilience_server.adapters.space_columns import StoredColumn, check_types, column_name, space_schema
from consilience_server.adapters.storage_errors import reading, writing
from consilience_server.adapters.store_catalog import Layout, StoreCatalog, now_us
from consilience_server.adapters.upload_staging import StagedUpload
from consilience_server.adapters.upsert_plan import UpsertPlan, plan_replacement, plan_upsert, rows_to_write
from consilience_server.app.ports import DeleteOutcome, SpaceRecord, UpsertOutcome, ValueType
from consilience_server.core.errors import CorruptData, InvalidKernel

_MAX_FRAGMENTS = 64
_MAX_DELETED = 0.10
_COMPACT_ROWS = 1024


class SpaceCommits:
    """The writes of one store. Each method's caller holds the space's lock.

    The steps of a commit, any of which a crash may follow: new rows into files that nothing refers to; Lance versions that remove
    replaced rows and append the new ones (several, none of them visible, for readers open the Lance version that the catalog names); fsync
    and digest of the new files; the catalog's transaction, which is the commit. What fails before it is rolled back by removing the files
    that the catalog does not list; what crashes is rolled back so when the store is next opened for writing.

    Args:
        spaces: the folder with a folder a space, named by its uid.
        catalog: of the store.
        checks: of the files.
    """

    def __init__(self, spaces: Path, catalog: StoreCatalog, checks: FileChecks) -> None:
        self._spaces = spaces
        self._catalog = catalog
        self._ledger = RequestLedger(catalog.database)
        self._checks = checks

    def directory(self, uid: str) -> Path:
        """The folder of a space."""
        return self._spaces / f"{uid}.lance"

    def upsert(self, record: SpaceRecord, request_id: str, upload: StagedUpload) -> UpsertOutcome:
        """Make an upload visible as one version; none is made where it changes nothing. The receipt goes into the same transaction.

        A kernel is written whole: the version is the upload, and rows that it lacks are gone.
        """
        check_types(upload.types, record.attributes)
        old_columns = self._catalog.columns(record.uid, record.version)
        with self._all_or_nothing(record, f"the upload to space {record.spec.name!r}"):
            staged = upload.read()
            base = self._open_newest(record)
            with reading(f"space {record.spec.name!r}"):
                plan = plan_upsert(base, old_columns, staged)
            changes = plan.inserted + plan.replaced > 0
            items = record.item_count + plan.inserted
            if record.spec.kernel is not None:
                items = upload.rows
                _check_whole(upload, record)
                changes = changes or plan.unchanged != record.item_count
                plan = plan_replacement(plan)
            version = record.version + 1 if changes else record.version
            outcome = UpsertOutcome(version, plan.inserted, plan.replaced, plan.unchanged)
            receipt = Receipt(record.uid, "upload", request_id, upload.rows, _upsert_numbers(outcome), upload.digest.hexdigest())
            if not changes:
                self._ledger.record(receipt, now_us())
                return outcome
            new_columns = _new_columns(upload.types, old_columns, version)
            dataset = self._write_upsert(record, items, base, plan, old_columns, new_columns)
            layout = Layout(record.uid, version, dataset.version, items, now_us())
            self._publish(dataset, layout, new_columns, receipt)
            return outcome

    def _write_upsert(
        self,
        record: SpaceRecord,
        items: int,
        base: Any | None,
        plan: UpsertPlan,
        old_columns: Sequence[StoredColumn],
        new_columns: Sequence[StoredColumn],
    ) -> Any:
        directory = self.directory(record.uid)
        columns = [*old_columns, *new_columns]
        schema = space_schema(record.spec.row_width(items), columns)
        if base is None:
            dataset = create_dataset(directory, schema)
        elif record.spec.kernel is not None:
            dataset = empty_dataset(directory, schema)
        else:
            dataset = base
            if new_columns:
                dataset.add_columns(pa.schema([schema.field(column.column) for column in new_columns]))
        fragments = write_rows(directory, schema, rows_to_write(plan, columns, schema))
        remove_ids(dataset, plan.replaced_ids)
        return append_fragments(directory, dataset, fragments)

    def delete_items(self, record: SpaceRecord, ids: Sequence[str], request_id: str) -> DeleteOutcome:
        """Remove items as one version; none is made where all are absent."""
        wanted = sorted(set(ids))
        with self._all_or_nothing(record, f"the removal of items of space {record.spec.name!r}"):
            dataset = self._open_newest(record)
            present = pa.array([], pa.string())
            if dataset is not None and wanted:
                with reading(f"space {record.spec.name!r}"):
                    asked = pa.array(wanted, pa.string())
                    present = asked.filter(pa.array(find_ids(asked, stored_ids(dataset)) >= 0))
            version = record.version + 1 if len(present) else record.version
            outcome = DeleteOutcome(version, len(present), len(wanted) - len(present))
            receipt = None
            if request_id:
                numbers = {"version": version, "deleted": outcome.deleted, "absent": outcome.absent}
                receipt = Receipt(record.uid, "delete", request_id, len(wanted), numbers, ids_digest(ids))
            if len(present):
                remove_ids(dataset, present)
                layout = Layout(record.uid, version, dataset.version, record.item_count - len(present), now_us())
                self._publish(dataset, layout, [], receipt)
            elif receipt is not None:
                self._ledger.record(receipt, now_us())
            return outcome

    def compact(self, record: SpaceRecord) -> bool:
        """Rewrite the newest version into fewer files where it has more than 64 fragments or more than 10% of deleted rows.

        The version keeps its number and rows and gets a second layout. Returns whether it was rewritten.
        """
        layout = self._catalog.layout(record.uid, record.version)
        if layout is None:
            return False
        with self._all_or_nothing(record, f"the compaction of space {record.spec.name!r}"):
            dataset = self._open_newest(record)
            fragments, deleted = fragmentation(dataset)
            if fragments <= _MAX_FRAGMENTS and deleted <= _MAX_DELETED:
                return False
            # What is rewritten gets new digests, so every byte is proven first.
            self._checks.check(self.directory(record.uid), self._catalog.files(layout), trust_earlier=False)
            before = dataset.version
            dataset.optimize.compact_files(batch_size=_COMPACT_ROWS)
            if dataset.version == before:
                return False
            self._publish(dataset, Layout(record.uid, layout.version, dataset.version, layout.item_count, layout.create_us), [], None)
            return True

    def roll_back(self, uid: str) -> int:
        """Remove whatever the catalog does not list; returns the bytes freed."""
        directory = self.directory(uid)
        self._checks.forget(directory)
        if not directory.is_dir():
            return 0
        known = self._catalog.known_files(uid)
        return sweep(directory, known.keys()) if known else remove_tree(directory)

    def _open_newest(self, record: SpaceRecord) -> Any:
        """The dataset at its newest version, files checked; None while the space is empty and untouched."""
        layout = self._catalog.layout(record.uid, record.version)
        if layout is None:
            self.roll_back(record.uid)
            return None
        directory = self.directory(record.uid)
        self._checks.check(directory, self._catalog.files(layout), trust_earlier=True)
        dataset = open_version(directory, layout.lance_version)
        with reading(str(directory)):
            if dataset.latest_version == layout.lance_version:
                return dataset
        # A failed commit could not be rolled back at the time.
        self.roll_back(record.uid)
        return open_version(directory, layout.lance_version)

    def _publish(self, dataset: Any, layout: Layout, new_columns: Sequence[StoredColumn], receipt: Receipt | None) -> None:
        rows = dataset.count_rows()
        if rows != layout.item_count:
            raise CorruptData(f"the new version would have {rows:,} rows instead of {layout.item_count:,}; nothing was changed")
        files = secure_files(self.directory(layout.uid), dataset, self._catalog.known_files(layout.uid))
        self._catalog.publish(layout, files, new_columns, receipt)

    @contextmanager
    def _all_or_nothing(self, record: SpaceRecord, what: str) -> Iterator[None]:
        try:
            with writing(what):
                yield
        except BaseException:
            # Best effort: what stays is found by the next commit or the next opening.
            with suppress(Exception):
                self.roll_back(record.uid)
            raise


def ids_digest(ids: Sequence[str]) -> str:
    """What tells two deletes apart: SHA-256 of the ids as a set."""
    return hashlib.sha256("\0".join(sorted(set(ids))).encode()).hexdigest()


def _check_whole(upload: StagedUpload, record: SpaceRecord) -> None:
    """The matrix of a kernel is all there: InvalidKernel."""
    if upload.dim != record.spec.row_width(upload.rows) or not upload.rows:
        message = f"{upload.rows:,} rows of {upload.dim:,} entries of a kernel are staged; an upload holds the whole matrix"
        raise InvalidKernel(message, field="batch.vectors")


def _new_columns(types: dict[str, ValueType], old: Sequence[StoredColumn], version: int) -> list[StoredColumn]:
    known = {column.name for column in old}
    names = sorted(set(types) - known)
    return [StoredColumn(name, types[name], column_name(len(old) + position), version) for position, name in enumerate(names)]


def _upsert_numbers(outcome: UpsertOutcome) -> dict[str, int]:
    return {"version": outcome.version, "inserted": outcome.inserted, "replaced": outcome.replaced, "unchanged": outcome.unchanged}
