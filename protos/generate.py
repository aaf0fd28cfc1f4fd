"""Writes the Python stubs of protos/ to client/consilience/v1, or checks with --check that they are what the protos say.

Run it with the pinned generator, `grpcio-tools==1.76.0` (`make protos` does): generated code refuses runtimes older than its
generator, so the oldest release that we support is the one that writes it.
"""

import filecmp
import shutil
import subprocess
import sys
import tempfile
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

PROTOS = Path(__file__).resolve().parent
CLIENT = PROTOS.parent / "client"


def include_google(into: Path) -> None:
    """Lay google/** beside our protos; the package ships longrunning's file under another name than the one it registers."""
    google = Path(find_spec("google.rpc.status_pb2").origin).parent.parent
    for folder in ("api", "rpc"):
        shutil.copytree(google / folder, into / "google" / folder, ignore=shutil.ignore_patterns("*.py*", "__pycache__"))
    target = into / "google" / "longrunning" / "operations.proto"
    target.parent.mkdir(parents=True)
    shutil.copy(google / "longrunning" / "operations_proto.proto", target)


def generate(out: Path) -> None:
    """Compile every proto of the contract into `out`."""
    from grpc_tools import protoc

    with tempfile.TemporaryDirectory() as folder:
        include = Path(folder)
        include_google(include)
        bundled = files("grpc_tools") / "_proto"
        sources = sorted(str(path) for path in PROTOS.glob("consilience/v1/*.proto"))
        arguments = ["protoc", f"-I{PROTOS}", f"-I{include}", f"-I{bundled}"]
        code = protoc.main([*arguments, f"--python_out={out}", f"--pyi_out={out}", f"--grpc_python_out={out}", *sources])
    if code:
        sys.exit(code)


def check() -> int:
    """Compare fresh stubs with the committed ones; 1 and their names where they differ."""
    committed = CLIENT / "consilience" / "v1"
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder))
        fresh = Path(folder) / "consilience" / "v1"
        names = {path.name for path in (*fresh.iterdir(), *committed.glob("*_pb2*"))}
        _, changed, missing = filecmp.cmpfiles(fresh, committed, sorted(names), shallow=False)
    if changed or missing:
        print("stubs differ from the protos, run `make protos`:", *changed, *missing)
        return 1
    return 0


def lint(arguments: list[str]) -> int:
    """Run buf over a copy of the protos that has google/** beside it, which the registry would else bring."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        shutil.copytree(PROTOS, tree / "ours", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        include_google(tree / "theirs")
        config = (PROTOS / "buf.yaml").read_text().replace("path: .", "path: ours")
        ignored = "  - path: theirs\n    lint:\n      ignore: [theirs]\n    breaking:\n      ignore: [theirs]\n"
        (tree / "buf.yaml").write_text(config.replace("lint:", ignored + "lint:", 1))
        return subprocess.run(["buf", *arguments], cwd=tree, check=False).returncode


if __name__ == "__main__":
    if sys.argv[1:2] == ["--check"]:
        sys.exit(check())
    if sys.argv[1:2] == ["--buf"]:
        sys.exit(lint(sys.argv[2:]))
    generate(CLIENT)
