import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "client" / "unasync.py"


@pytest.fixture(scope="module")
def unasync():
    if not SCRIPT.exists():
        pytest.fail("the generator of the synchronous client is missing")
    spec = importlib.util.spec_from_file_location("unasync", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_committed_twin_is_what_its_source_gives(unasync):
    assert unasync.differing() == []
    assert unasync.main(["--check"]) == 0


@pytest.mark.parametrize(
    ("source", "twin"),
    [
        ("async def f(self):\n    return await g()\n", "def f(self):\n    return g()\n"),
        ("async with a as b:\n    pass\n", "with a as b:\n    pass\n"),
        ("x = [i async for i in await y()]\n", "x = [i for i in y()]\n"),
        ("class AsyncThing(AsyncBase):\n    pass\n", "class Thing(Base):\n    pass\n"),
        ("from consilience._async.base import AsyncCalls\n", "from consilience._sync.base import Calls\n"),
        ("async def __aenter__(self) -> Self: ...\n", "def __enter__(self) -> Self: ...\n"),
        ('"""`AsyncClient`: await it."""\n', '"""`Client`: it."""\n'),
        ("asynchronous = Async\n", "asynchronous = Async\n"),
        ("x = f'{await y()}'  # async with AsyncClient\n", None),
    ],
)
def test_tokens_are_replaced_and_nothing_else(unasync, source, twin):
    told = unasync.synchronous(source)
    compile(told, "twin", "exec")
    assert twin is None or told == twin


def test_drift_is_seen(unasync, tmp_path, monkeypatch, capsys):
    (tmp_path / "_async").mkdir()
    (tmp_path / "_sync").mkdir()
    (tmp_path / "_async" / "a.py").write_text("async def f(): ...\n")
    monkeypatch.setattr(unasync, "ROOT", tmp_path)
    assert unasync.main(["--check"]) == 1
    assert "a.py" in capsys.readouterr().err
    assert unasync.main([]) == 0
    assert unasync.main(["--check"]) == 0
    (tmp_path / "_sync" / "left_over.py").write_text("")
    assert [path.name for path in unasync.differing()] == ["left_over.py"]
