"""Protobuf's descriptor pool is one a process: our files must not clash with those of other gRPC clients."""

import subprocess
import sys
from pathlib import Path

import pytest

import consilience

OURS = "from consilience import Client; Client('localhost:1').close(); import consilience.v1.space_pb2_grpc"
OTHERS = {
    "qdrant-client": "from qdrant_client import QdrantClient; import qdrant_client.grpc",
    "health checking": "from grpc_health.v1 import health_pb2, health_pb2_grpc",
    "reflection": "from grpc_reflection.v1alpha import reflection",
}


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("first", ["ours", "theirs"])
def test_other_clients_can_be_imported_beside_ours(other, first):
    code = "\n".join([OURS, OTHERS[other]] if first == "ours" else [OTHERS[other], OURS])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def test_no_descriptors_of_others_are_shipped():
    shipped = {path.name for path in Path(consilience.__file__).parent.rglob("*_pb2*.py")}
    ours = {path.name for path in (Path(consilience.__file__).parent / "v1").glob("*_pb2*.py")}
    assert shipped == ours


def test_every_file_is_registered_under_our_own_folder():
    code = """
import importlib, pkgutil, consilience.v1
for module in pkgutil.iter_modules(consilience.v1.__path__):
    if module.name.endswith("_pb2"):
        print(importlib.import_module(f"consilience.v1.{module.name}").DESCRIPTOR.name)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split()
    assert all(name.startswith("consilience/v1/") for name in done.stdout.split())
