import threading
from concurrent.futures import ThreadPoolExecutor

from consilience_server.adapters.keyed_locks import KeyedLocks


def test_one_thread_a_key_and_keys_apart():
    locks = KeyedLocks()
    inside, most = {"a": 0, "b": 0}, {"a": 0, "b": 0}
    meet = threading.Barrier(2)

    def enter(key):
        for _ in range(200):
            with locks.hold(key):
                inside[key] += 1
                most[key] = max(most[key], inside[key])
                inside[key] -= 1

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(enter, ["a", "b", "a", "b"]))
    assert most == {"a": 1, "b": 1}

    def meet_inside(key):
        with locks.hold(key):
            meet.wait(10)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(meet_inside, ["a", "b"]))
    assert locks._locks == {}
