"""What keeps a store small: expired uploads, old versions, compaction. Each step stands alone, so that one that fails starves no other."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from consilience_server.adapters.request_ledger import RequestLedger
from consilience_server.adapters.space_commits import SpaceCommits
from consilience_server.adapters.store_catalog import Layout, StoreCatalog, now_us
from consilience_server.adapters.store_pins import StorePins
from consilience_server.adapters.upload_staging import upload_directory
from consilience_server.app.ports import MaintenanceReport, SpaceRecord


@dataclass
class SpaceMaintenance:
    """One round over the spaces of a store; adds up what it did. `space` is called with the space's lock held."""

    catalog: StoreCatalog
    commits: SpaceCommits
    pins: StorePins
    uploads: Path
    discard: Callable[[str, str], int]
    keep_us: int
    upload_us: int
    compacted: int = 0
    removed_versions: int = 0
    expired_uploads: int = 0
    removed_bytes: int = 0

    def space(self, record: SpaceRecord) -> list[Exception]:
        """All steps for one space; returns what went wrong in any."""
        errors: list[Exception] = []
        for step in (self._expire, self._remove_versions, self._compact):
            try:
                step(record)
            except Exception as error:  # noqa: BLE001  # reported by the caller once every space had its turn
                errors.append(error)
        return errors

    def report(self) -> MaintenanceReport:
        """The sums."""
        return MaintenanceReport(self.compacted, self.removed_versions, self.expired_uploads, self.removed_bytes)

    def _expire(self, record: SpaceRecord) -> None:
        ledger = RequestLedger(self.catalog.database)
        now = now_us()
        for entry in ledger.open_uploads(record.uid):
            if max(entry.begin_us, _touched_us(upload_directory(self.uploads, record.uid, entry.request_id))) <= now - self.upload_us:
                self.removed_bytes += self.discard(record.uid, entry.request_id)
                self.expired_uploads += 1
        # A receipt makes a repetition safe, so it outlives both what it made and the patience of an upload.
        ledger.forget_done(record.uid, now - max(self.keep_us, self.upload_us))

    def _remove_versions(self, record: SpaceRecord) -> None:
        layouts = self.catalog.layouts(record.uid)
        with self.pins.removal() as removal:
            doomed = [layout for layout in _removable(layouts, now_us() - self.keep_us) if removal.reserve(layout.uid, layout.version)]
            if doomed:
                self.catalog.remove_layouts(doomed)
        kept = {layout.version for layout in layouts if layout not in doomed}
        self.removed_versions += len({layout.version for layout in doomed} - kept)
        self.removed_bytes += self.commits.roll_back(record.uid)

    def _compact(self, record: SpaceRecord) -> None:
        if self.commits.compact(record):
            self.compacted += 1
            # The files it replaced go now, unless somebody reads them.
            self._remove_versions(record)


def _removable(layouts: list[Layout], before_us: int) -> list[Layout]:
    """Layouts that a compaction replaced, and those of versions that ceased to be the newest before a time."""
    if not layouts:
        return []
    newest_layout = {layout.version: layout for layout in layouts}
    begin = {layout.version: layout.create_us for layout in layouts}
    versions = sorted(begin)
    ended = {version: begin[following] for version, following in pairwise(versions)}
    return [
        layout for layout in layouts if layout != newest_layout[layout.version] or ended.get(layout.version, before_us + 1) <= before_us
    ]


def _touched_us(directory: Path) -> int:
    try:
        return directory.stat().st_mtime_ns // 1000
    except FileNotFoundError:
        return 0
