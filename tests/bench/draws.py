"""What benches of thousands of small draws share: nothing is drawn or read again that no draw needs."""

import sys

from consilience_server import bootstrap


def hasten_draws() -> None:
    """Leave out of every alignment of arrays in this process what p-values and intervals do not depend on.

    - Where a chance has no formula it is the mean over 99 random pairings or more, even where fewer permutations are asked. Here none are
      drawn beyond what is asked: linear predictivity is five times as fast.
    - Settings are read once, not at every call.
    """
    for name, module in list(sys.modules.items()):
        if name.startswith("consilience_server.engine.") and hasattr(module, "LEAST_PAIRINGS"):
            module.LEAST_PAIRINGS = 1
    settings = bootstrap.load_settings({"host": "127.0.0.1"})
    bootstrap.load_settings = lambda flags: settings
