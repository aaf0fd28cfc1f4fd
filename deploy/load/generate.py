"""A gentle load for a first look: two spaces of synthetic items, aligned, bridged, matched and watched, round after round.

The second space is a rotation of the first with noise, so that alignment lies well above chance. Each round replaces a few items
(the spaces do not grow), asks for alignments of which some repeat (cache hits), matches a few queries, and makes one request that
the server refuses.
"""

import argparse
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from consilience import Client
from consilience.errors import AlreadyExistsError, ConsilienceError, InvalidArgumentError, Unavailable

ITEMS, DIM, FIT_ITEMS, CHANGED_ITEMS = 1500, 64, 1000, 50
FIRST, SECOND, BRIDGE, WATCH = "load-first", "load-second", "load-bridge", "load-watch"
IDS = [f"item-{row:05d}" for row in range(ITEMS)]


def views(draw: np.random.Generator, rotation: NDArray[np.float64], rows: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The same `rows` items in both spaces, (rows, DIM) each."""
    first = draw.normal(size=(rows, DIM))
    second = first @ rotation + 0.3 * draw.normal(size=(rows, DIM))
    return first.astype(np.float32), second.astype(np.float32)


def prepare(client: Client, draw: np.random.Generator, rotation: NDArray[np.float64]) -> None:
    """Spaces, items, bridge and watch; what an earlier run left is used again."""
    for space in (FIRST, SECOND):
        with suppress(AlreadyExistsError):
            client.create_space(space, dim=DIM, similarity="cosine", modality="synthetic", model="load")
    for space, vectors in zip((FIRST, SECOND), views(draw, rotation, ITEMS), strict=True):
        client.upsert(space, IDS, vectors)
    with suppress(AlreadyExistsError):
        client.fit_bridge(FIRST, SECOND, name=BRIDGE, method="auto", pair_ids=IDS[:FIT_ITEMS])
    with suppress(AlreadyExistsError):
        client.watch(FIRST, SECOND, WATCH, probes=500)


def one_round(client: Client, draw: np.random.Generator, rotation: NDArray[np.float64]) -> str:
    """A round of requests; returns one line about it."""
    changed = draw.choice(ITEMS, CHANGED_ITEMS, replace=False)
    first, second = views(draw, rotation, CHANGED_ITEMS)
    ids = [IDS[row] for row in changed]
    client.upsert(FIRST, ids, first)
    client.upsert(SECOND, ids, second)
    report = client.align(FIRST, SECOND, k=10)
    for _ in range(3):
        client.align(FIRST, SECOND, k=10)
    for _ in range(5):
        client.match(queries=first[draw.choice(CHANGED_ITEMS, 8)], bridge=BRIDGE, k=5, correction="csls")
    client.mutual_pairs(FIRST, SECOND, bridge=BRIDGE)
    with suppress(InvalidArgumentError):
        client.align(FIRST, SECOND, k=ITEMS)
    return repr(report)


def until_served(action: Callable[[], None], stop: threading.Event, seconds: float) -> None:
    """Repeat an action while the server cannot be reached, for so long at most."""
    end = time.monotonic() + seconds
    while True:
        try:
            return action()
        except Unavailable:
            if time.monotonic() > end or stop.wait(1.0):
                raise


def main() -> int:
    """Run until the rounds are over or SIGTERM comes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--address", default="127.0.0.1:50051", help="of the server (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=0, help="how many; 0 is until SIGTERM (default: %(default)s)")
    parser.add_argument("--pause", type=float, default=5.0, help="seconds between rounds (default: %(default)s)")
    arguments = parser.parse_args()

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    draw = np.random.default_rng(0)
    rotation = np.linalg.qr(draw.normal(size=(DIM, DIM)))[0]
    done = 0
    with Client(arguments.address) as client:
        until_served(lambda: prepare(client, draw, rotation), stop, seconds=60.0)
        while not stop.is_set() and (arguments.rounds == 0 or done < arguments.rounds):
            try:
                print(one_round(client, draw, rotation), flush=True)
            except ConsilienceError as error:
                # The server restarts, or is too busy: the next round asks again.
                print(f"round {done + 1}: {error}", file=sys.stderr, flush=True)
            done += 1
            stop.wait(arguments.pause)
    return 0


if __name__ == "__main__":
    sys.exit(main())
