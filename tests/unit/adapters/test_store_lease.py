import os

import pytest

from consilience_server.adapters.store_lease import StoreLease
from consilience_server.core.errors import StoreLocked


def test_one_holder_at_a_time_even_in_one_process(tmp_path):
    lease = StoreLease(tmp_path, "first")
    with pytest.raises(StoreLocked, match=rf"'first' \(host .*, process {os.getpid()}, since 2"):
        StoreLease(tmp_path, "second")
    lease.release()
    lease.release()
    StoreLease(tmp_path, "second").release()


def test_the_name_of_an_earlier_holder_does_not_linger(tmp_path):
    StoreLease(tmp_path, "a very long name of a holder that went").release()
    lease = StoreLease(tmp_path, "b")
    with pytest.raises(StoreLocked, match="'b'"):
        StoreLease(tmp_path, "c")
    lease.release()


def test_a_holder_without_a_name_yet(tmp_path):
    lease = StoreLease(tmp_path, "x")
    (tmp_path / "writer.lock").write_bytes(b"")
    with pytest.raises(StoreLocked, match="another process"):
        StoreLease(tmp_path, "y")
    lease.release()
