"""The README's snippets run as pasted after `make serve`, top to bottom, and what it names is there."""

import re
from pathlib import Path

from support.server_process import start_server

from consilience.commands.app import app

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
GUIDE = [page.read_text() for page in sorted((ROOT / "client" / "guide").glob("*.md"))]


def snippets(text):
    return re.findall(r"^```python\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


# The guide's pages go on where the README ended, before it tidies up.
*_SESSION, _TIDY = snippets(README)
SNIPPETS = [*_SESSION, *(snippet for page in GUIDE for snippet in snippets(page)), _TIDY]


def test_it_has_snippets():
    assert len(snippets(README)) >= 8
    assert len(GUIDE) >= 5
    assert len(SNIPPETS) > len(snippets(README)) + 8


def test_its_snippets_work_as_pasted(tmp_path, capsys, monkeypatch):
    """Against a server on a free port, whose address stands in for the one they name."""
    server = start_server(tmp_path / "store")
    scope: dict[str, object] = {}
    monkeypatch.chdir(tmp_path)
    try:
        for snippet in SNIPPETS:
            exec(compile(snippet.replace("localhost:50051", server.address), "README.md", "exec"), scope)
    finally:
        assert server.stop() == 0
    told = capsys.readouterr().out
    assert "mutual_knn@10 = " in told
    assert "INVALID_K" in told
    assert "photo-1500" in told
    assert "<svg" in (tmp_path / "agreement.html").read_text()


def test_the_files_that_it_names_are_there():
    named = re.findall(r"`((?:protos|service|client|tests|deploy)/[\w./*-]*)`", README)
    assert len(named) > 8
    missing = [path for path in named if not list(ROOT.glob(path.rstrip("/")))]
    assert not missing


def test_its_links_and_those_of_the_guide_lead_somewhere():
    pages = [(ROOT, README), *((ROOT / "client" / "guide", page) for page in GUIDE)]
    links = [(folder, target) for folder, text in pages for target in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in target]
    assert len(links) > 8
    assert [target for folder, target in links if not (folder / target).exists()] == []


def test_the_commands_that_it_names_are_there():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)`", "".join([README, *GUIDE]))) <= targets
    offered = {info.name for info in app.registered_commands} | {group.name for group in app.registered_groups}
    named = set(re.findall(r"`consilience ([a-z]+)", "".join([README, *GUIDE])))
    assert len(named) > 8
    assert named - {"serve"} <= offered


def test_the_defaults_that_it_names_are_those_of_the_settings():
    from consilience_server.settings import Settings

    defaults = {name: info.default for name, info in Settings.model_fields.items()}
    assert f"`--port` | `127.0.0.1`, `{defaults['port']}`" in README
    assert f"`--metrics-port` | `{defaults['metrics_port']}`" in README
    assert f"{defaults['max_message_bytes'] >> 20} MiB a message" in README
    assert f"up to\n{defaults['max_dim']:,} wide, k up to {defaults['max_k']:,}, ids up to {defaults['max_id_bytes']} bytes" in README
