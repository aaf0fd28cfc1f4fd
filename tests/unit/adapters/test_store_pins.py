import threading

import pytest

from consilience_server.adapters.store_pins import StorePins


@pytest.fixture
def pins(tmp_path):
    opened = StorePins(tmp_path, make=True)
    yield opened
    opened.close()


def removable(pins, uid="u", version=1):
    with pins.removal() as removal:
        return removal.reserve(uid, version)


def test_a_pinned_version_is_not_given_to_removal_until_the_last_pin_goes(pins, tmp_path):
    other = StorePins(tmp_path, make=False)
    with pins.pin("u", 1):
        with pins.pin("u", 1), other.pin("u", 1):
            assert not removable(pins)
        assert not removable(pins)
        assert not removable(other)
        assert removable(pins, version=2)
        assert removable(pins, uid="v")
    assert removable(pins)
    other.close()


def test_nobody_pins_what_is_reserved_until_the_round_ends(pins):
    done = threading.Event()

    def pin():
        with pins.pin("u", 1):
            done.set()

    with pins.removal() as removal:
        assert removal.reserve("u", 1)
        thread = threading.Thread(target=pin)
        thread.start()
        assert not done.wait(0.05)
    thread.join(10)
    assert done.is_set()


def test_closing_drops_pins_that_are_held(pins, tmp_path):
    other = StorePins(tmp_path, make=False)
    with other.pin("u", 1):
        other.close()
        assert removable(pins)
