"""The SDK alone, installed from the wheel: light, pure, and able to say what is missing."""

import importlib.metadata
import importlib.util
import subprocess
import sys
import time
from pathlib import Path

begin = time.process_time()
import consilience  # noqa: E402 - its import is what is measured

seconds = time.process_time() - begin

assert "site-packages" in consilience.__file__, consilience.__file__
assert seconds < 0.3, f"import consilience took {seconds:.3f} s"
heavy = ("faiss", "torch", "lance", "pyarrow", "scipy", "redis", "pydantic", "typer", "pandas")
brought = [name for name in heavy if importlib.util.find_spec(name)]
assert not brought, f"the base install brought {brought}"
assert not [name for name in sys.modules if name.startswith("consilience_server")]

told = ""
try:
    consilience.align_arrays([[1.0, 0.0]], [[1.0, 0.0]])
except consilience.MissingExtraError as error:
    told = str(error)
assert "consilience[server]" in told, f"align_arrays without its extra said {told!r}"

for command in ([sys.executable, "-m", "consilience_server"], [str(Path(sys.executable).with_name("consilience"))]):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0, command
    assert "pip install" in done.stderr, (command, done.stderr)
    assert "Traceback" not in done.stderr, done.stderr

print(f"consilience {importlib.metadata.version('consilience')}: imported in {seconds * 1000:.0f} ms of processor time, no server code")
