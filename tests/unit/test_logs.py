import json
import logging

from consilience_server.app.call import Call
from consilience_server.logs import JsonFormatter, RequestIdFilter, TextFormatter
from consilience_server.rpc.current_call import enter_call


def record(message="hello %s", args=("you",), exc_info=None):
    found = logging.LogRecord("consilience_server.x", logging.INFO, "file", 1, message, args, exc_info)
    RequestIdFilter().filter(found)
    return found


def failure():
    try:
        raise ValueError("broken")
    except ValueError as error:
        return (ValueError, error, error.__traceback__)


def test_json_is_one_object_a_line():
    event = json.loads(JsonFormatter().format(record("two\nlines", ())))
    assert (event["message"], event["level"], event["logger"]) == ("two\nlines", "info", "consilience_server.x")
    assert event["time"].endswith("+00:00")
    assert "request_id" not in event
    text = JsonFormatter().format(record("two\nlines é", ()))
    assert "\n" not in text
    assert "é" in text


def test_the_traceback_travels():
    event = json.loads(JsonFormatter().format(record(exc_info=failure())))
    assert "ValueError: broken" in event["error"]
    assert "ValueError: broken" in TextFormatter().format(record(exc_info=failure()))


def test_text_cannot_forge_a_line():
    assert "\n" not in TextFormatter().format(record("a\n2026 error forged", ()))


async def test_events_carry_the_request_they_belong_to():
    enter_call(Call("align", request_id="r-7"))
    assert json.loads(JsonFormatter().format(record()))["request_id"] == "r-7"
    assert TextFormatter().format(record()).endswith("hello you [r-7]")
