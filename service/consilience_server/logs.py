"""The log: one event a line, with the id of the request that it belongs to."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Literal

from consilience_server.rpc.current_call import current_request_id

_OWN = "consilience_server"


class JsonFormatter(logging.Formatter):
    """One JSON object an event: time, level, logger, message, request_id where there is one, error with its traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """The event as one line."""
        event: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        request_id = getattr(record, "request_id", "")
        if request_id:
            event["request_id"] = request_id
        if record.exc_info:
            event["error"] = self.formatException(record.exc_info)
        return json.dumps(event, ensure_ascii=False)


class TextFormatter(logging.Formatter):
    """`time level message [request id]`, the traceback below."""

    def format(self, record: logging.LogRecord) -> str:
        """The event, on one line but for a traceback."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        request_id = getattr(record, "request_id", "")
        suffix = f" [{request_id}]" if request_id else ""
        message = record.getMessage().replace("\n", "\\n")
        line = f"{time} {record.levelname.lower():7} {message}{suffix}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class RequestIdFilter(logging.Filter):
    """Writes the id of the running task's request into every event."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always passes."""
        record.request_id = current_request_id()
        return True


def configure_logs(level: str, log_format: Literal["text", "json"]) -> None:
    """Send all events to standard error: ours from `level` on, the libraries' from warning on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter())
    handler.addFilter(RequestIdFilter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger(_OWN).setLevel(level.upper())
    logging.captureWarnings(True)
