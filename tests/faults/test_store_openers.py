"""Two openers of one folder, in one process and in two, and a fork."""

import os
import signal
import subprocess
import sys
import warnings

import pytest
from support.store_content import batch, content, expected, spec, upload, vectors

from consilience_server.adapters.lance_store import LanceStore
from consilience_server.core.errors import StoreLocked, VersionExpired

HOLD = """
import sys
from pathlib import Path
from consilience_server.adapters.lance_store import LanceStore
store = LanceStore(Path(sys.argv[1]), read_only=sys.argv[2] == "reader", holder="the other one")
if sys.argv[2] == "reader":
    pin = store.pin(store.get("a").uid, 1)
    pin.__enter__()
print("open", flush=True)
sys.stdin.read()
"""


def other_process(root, role):
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(root), role], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "open\n"
    return process


def end(process, by):
    if by is None:
        process.stdin.close()
    else:
        os.kill(process.pid, by)
        process.stdin.close()
    process.wait(30)
    process.stdout.close()


def test_a_second_writer_in_this_process_is_refused_and_a_reader_is_not(tmp_path):
    store = LanceStore(tmp_path, holder="the first")
    store.create(spec())
    with pytest.raises(StoreLocked, match=f"'the first' .*process {os.getpid()}"):
        LanceStore(tmp_path)
    upload(store, "a", "r", batch(["x"], vectors(0, 1)))
    reader = LanceStore(tmp_path, read_only=True)
    assert content(reader, "a") == expected(["x"], vectors(0, 1))
    reader.close()
    store.close()
    LanceStore(tmp_path).close()


@pytest.mark.parametrize("by", [None, signal.SIGKILL])
def test_a_second_writing_process_is_refused_until_the_first_is_gone(tmp_path, by):
    process = other_process(tmp_path, "writer")
    with pytest.raises(StoreLocked, match=f"'the other one' .*process {process.pid}"):
        LanceStore(tmp_path)
    LanceStore(tmp_path, read_only=True).close()
    end(process, by)
    LanceStore(tmp_path).close()


def test_the_pin_of_another_process_holds_until_it_dies(tmp_path):
    store = LanceStore(tmp_path)
    store.create(spec())
    upload(store, "a", "1", batch(["x"], vectors(0, 1)))
    process = other_process(tmp_path, "reader")
    upload(store, "a", "2", batch(["x"], vectors(1, 1)))
    assert store.maintain(0, 3600).removed_versions == 0
    assert content(store, "a", 1) == expected(["x"], vectors(0, 1))
    end(process, signal.SIGKILL)
    assert store.maintain(0, 3600).removed_versions == 1
    with pytest.raises(VersionExpired):
        store.load("a", 1)
    store.close()


def test_a_forked_child_is_refused_and_leaves_the_lease_alone(tmp_path):
    store = LanceStore(tmp_path)
    store.create(spec())
    with warnings.catch_warnings():
        # Lance and Python both warn of what this test is about.
        warnings.simplefilter("ignore")
        child = os.fork()
    if child == 0:
        try:
            store.get("a")
        except StoreLocked as error:
            store.close()
            os._exit(7 if str(os.getppid()) in error.message else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    with pytest.raises(StoreLocked):
        LanceStore(tmp_path)
    assert store.get("a").version == 0
    store.close()
    LanceStore(tmp_path).close()
