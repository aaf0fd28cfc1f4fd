"""A Parquet file written batch by batch, by a run that may break: the next one goes on where it stopped.

Beside the file grows a folder `<name>.partial` of parts: each holds a row group and, in its metadata, what asks the source for the rows
that follow. When all are there they become the file, which appears whole, and the folder goes. Broken or not, the same rows make the same
file.
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from consilience._results.arrow import METADATA_KEY, ROW_GROUP, import_arrow, metadata, refused_path
from consilience.errors import InvalidArgumentError

_GROUP_BYTES = 64 << 20
"""A group ends with this many bytes, or with `ROW_GROUP` rows."""

_PLACE_KEY = b"consilience.partial"


class ResumableParquet:
    """Rows on their way into a file.

    `rows` are in parts; `next_token` asks for the rows behind those taken; `is_complete` once all are in parts; `told` is the file's
    metadata.

    Args:
        path: the file; replaced at the end where it is there.
        asked: what is written, in JSON's types: a beginning of something else is refused.
        resume: False begins anew, whatever is there.

    Raises:
        InvalidArgumentError: the folder cannot be written, or holds the beginning of something else.
        MissingExtraError: pyarrow is not installed.
    """

    def __init__(self, path: Path, asked: Mapping[str, Any], *, resume: bool = True) -> None:
        self._pa = import_arrow()
        self._path = path
        self._asked = dict(asked)
        self._folder = path.with_name(f"{path.name}.partial")
        self._waiting: list[Any] = []
        self._waiting_rows = 0
        self._waiting_bytes = 0
        self.rows = 0
        self.next_token = ""
        self.is_complete = False
        self.told: dict[str, Any] = {}
        with refused_path(path):
            if not resume:
                shutil.rmtree(self._folder, ignore_errors=True)
            if not path.parent.is_dir():
                raise NotADirectoryError(f"there is no folder {path.parent}")
            for part in self._parts():
                if int(part.stem) != self.rows:
                    # A removal that was interrupted: what is left does not join.
                    shutil.rmtree(self._folder, ignore_errors=True)
                    self.rows, self.next_token, self.is_complete, self.told = 0, "", False, {}
                    break
                self._continue(part)

    def _parts(self) -> list[Path]:
        return sorted(self._folder.glob("*.parquet"))

    def _continue(self, part: Path) -> None:
        """Take over what an earlier run wrote."""
        try:
            stored = self._pa.parquet.read_schema(part).metadata or {}
            place = json.loads(stored[_PLACE_KEY])
            told = json.loads(stored[METADATA_KEY])
        except (self._pa.ArrowException, KeyError, ValueError) as error:
            raise InvalidArgumentError(f"{part} is no part of this export; remove the folder {self._folder.name}", field="path") from error
        if place["asked"] != self._asked:
            raise InvalidArgumentError(
                f"{self._folder} holds the beginning of another export, {json.dumps(place['asked'])}; finish that one with its own "
                "arguments, or begin anew with resume=False",
                field="path",
            )
        self.rows, self.next_token, self.is_complete, self.told = place["rows"], place["token"], not place["token"], told

    @property
    def rows_taken(self) -> int:
        """Rows so far, those that wait for their group to be full among them."""
        return self.rows + self._waiting_rows

    def append(self, table: Any, told: Mapping[str, Any], token: str) -> None:
        """Rows; `token` asks for what follows them, empty behind the last. `told` becomes the file's metadata."""
        self._waiting.append(table)
        self.next_token = token
        self._waiting_rows += table.num_rows
        self._waiting_bytes += table.nbytes
        if token and self._waiting_rows < ROW_GROUP and self._waiting_bytes < _GROUP_BYTES:
            return
        rows = self._pa.concat_tables(self._waiting)
        place = {"asked": self._asked, "rows": self.rows + rows.num_rows, "token": token}
        kept = {**metadata(told), _PLACE_KEY: json.dumps(place).encode()}
        part = self._folder / f"{self.rows:015d}.parquet"
        beside = part.with_suffix(".writing")
        with refused_path(self._path):
            self._folder.mkdir(exist_ok=True)
            self._pa.parquet.write_table(rows.replace_schema_metadata(kept), beside, row_group_size=max(1, rows.num_rows))
            beside.replace(part)
        self.rows, self.is_complete, self.told = place["rows"], not token, dict(told)
        self._waiting, self._waiting_rows, self._waiting_bytes = [], 0, 0

    def finish(self) -> None:
        """Make the file of the parts, one in memory at a time."""
        beside = self._folder / "whole.writing"
        parts = self._parts()
        with refused_path(self._path):
            schema = self._pa.parquet.read_schema(parts[0]).with_metadata(metadata(self.told))
            with self._pa.parquet.ParquetWriter(beside, schema) as writer:
                for part in parts:
                    rows = self._pa.parquet.read_table(part).replace_schema_metadata(schema.metadata)
                    if rows.num_rows:
                        writer.write_table(rows, row_group_size=rows.num_rows)
            beside.replace(self._path)
            shutil.rmtree(self._folder)
