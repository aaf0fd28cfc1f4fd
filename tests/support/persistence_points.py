"""Every step at which the store hands something to the disk, as a list to hook into: `hook(name)` runs before each."""

import os
import shutil
import sqlite3
from pathlib import Path

import lance
from lance.dataset import DatasetOptimizer, MergeInsertBuilder

from consilience_server.adapters import lance_rows

# Removing: what can't run out of room.
REMOVALS = frozenset({"unlink", "rmtree"})


def install(hook, set_attribute=setattr):
    """Patch the steps of this process; `set_attribute` is `monkeypatch.setattr` where it must be undone."""

    def wrap(owner, name, *, static=False):
        original = getattr(owner, name)

        def hooked(*arguments, **options):
            hook(name)
            return original(*arguments, **options)

        set_attribute(owner, name, staticmethod(hooked) if static else hooked)

    class HookedConnection(sqlite3.Connection):
        def execute(self, sql, *arguments):
            if sql == "COMMIT":
                hook("COMMIT")
            return super().execute(sql, *arguments)

    connect = sqlite3.connect
    set_attribute(sqlite3, "connect", lambda *arguments, **options: connect(*arguments, factory=HookedConnection, **options))
    for name in ("write", "fsync", "replace", "rename"):
        wrap(os, name)
    wrap(Path, "unlink")
    wrap(shutil, "rmtree")
    wrap(lance, "write_dataset")
    wrap(lance_rows, "write_fragments")
    wrap(lance.LanceDataset, "commit", static=True)
    wrap(lance.LanceDataset, "add_columns")
    wrap(MergeInsertBuilder, "execute")
    wrap(DatasetOptimizer, "compact_files")
