"""A process that forks writers quickly: Lance is imported once, each writer is a child of its own.

Reads one JSON object a line: root, ledger, seed, first (number of the first step), steps (how many), die_at (persistence step that kills
the writer; 0 is none). Answers the writer's process id, and its wait status once it ended.
"""

import json
import os
import signal
import sys
import warnings
from pathlib import Path

from support.persistence_points import install
from support.store_workload import ensure_space, step

from consilience_server.adapters.lance_store import LanceStore

write_now = os.write


def work(root, ledger, seed, first, steps, die_at):
    acknowledged = os.open(ledger, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    passed = ["", 0]
    armed = False

    def hook(name):
        # A row of equal steps (fsync of one file after another) counts once.
        if armed and name != passed[0]:
            passed[:] = [name, passed[1] + 1]
            if passed[1] == die_at:
                os.kill(os.getpid(), signal.SIGKILL)

    if die_at:
        install(hook)
    store = LanceStore(Path(root), holder="forked writer")
    ensure_space(store)
    armed = True
    for number in range(first, first + steps):
        step(seed, number).run(store, lambda rows, number=number: write_now(acknowledged, f"staged {number} {rows}\n".encode()))
        write_now(acknowledged, f"done {number} 0\n".encode())


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                work(**json.loads(line))
                os._exit(0)
            except BaseException:
                sys.excepthook(*sys.exc_info())
                os._exit(1)
        print(child, flush=True)
        print(os.waitpid(child, 0)[1], flush=True)
