"""What benches of thousands of small draws share: no pairing is drawn that nobody reads."""

import sys


def draw_no_pairings_for_chance() -> None:
    """Where a chance has no formula it is the mean over 99 random pairings or more, even where fewer permutations are asked.

    Neither p-values nor intervals depend on it, so where only those are counted the engine of this process draws none beyond what is
    asked: linear predictivity is five times as fast.
    """
    import consilience_server.bootstrap

    assert consilience_server.bootstrap
    for name, module in list(sys.modules.items()):
        if name.startswith("consilience_server.engine.") and hasattr(module, "LEAST_PAIRINGS"):
            module.LEAST_PAIRINGS = 1
