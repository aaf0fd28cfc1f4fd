"""The public face: what `__all__` promises is there, the two clients are one, and importing is cheap."""

import inspect
import subprocess
import sys
import types

import pytest

import consilience
from consilience import AsyncClient, AsyncWriter, Client, Writer, errors, results

PAIRS = [(Client, AsyncClient), (Writer, AsyncWriter)]
NOT_ASYNC = {"local", "writer", "iterate_embeddings", "iterate_mutual_pairs"}


def public(kind):
    return {name: inspect.getattr_static(kind, name) for name in dir(kind) if not name.startswith("_")}


def test_the_promised_names_are_there_sorted_and_nothing_else_is_shown():
    assert consilience.__all__ == sorted(consilience.__all__)
    for name in consilience.__all__:
        assert getattr(consilience, name) is not None
    assert dir(consilience) == consilience.__all__
    shown = {name for name, value in vars(consilience).items() if not name.startswith("_") and not isinstance(value, types.ModuleType)}
    assert shown - {"TYPE_CHECKING", "Any"} <= set(consilience.__all__)


def test_all_errors_and_results_are_at_the_door():
    for module in (errors, results):
        assert module.__all__ == sorted(module.__all__)
        assert set(module.__all__) <= set(consilience.__all__)
        for name in module.__all__:
            assert getattr(consilience, name) is getattr(module, name)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'consilience' has no attribute 'Cleint'"):
        consilience.Cleint  # noqa: B018 - the access is the test


@pytest.mark.parametrize(("sync", "asynchronous"), PAIRS)
def test_both_kinds_have_the_same_methods_with_the_same_parameters(sync, asynchronous):
    assert set(public(sync)) == set(public(asynchronous))
    for name, stored in public(sync).items():
        assert type(stored) is type(public(asynchronous)[name]), name
        member, twin = getattr(sync, name), getattr(asynchronous, name)
        if isinstance(member, property):
            continue
        ours, theirs = inspect.signature(member), inspect.signature(twin)
        assert ours.parameters == theirs.parameters, name
        assert inspect.iscoroutinefunction(twin) == (name not in NOT_ASYNC), name
        assert not inspect.iscoroutinefunction(member)
        assert str(ours.return_annotation) == str(theirs.return_annotation).replace("Async", "").replace("_async", "_sync"), name


def test_the_designs_methods_are_there():
    names = """align align_arrays align_items align_matrix cancel_operation classify close compare_alignments compare_versions
    compose_bridges consensus create_space delete_bridge delete_embeddings delete_operation delete_space delete_watch
    describe_space download_bridge estimate_alignment estimate_bridge evaluate_bridge evaluate_upgrade export_bridge
    export_embeddings export_mutual_pairs fit_bridge gallery_curve get_bridge get_embeddings get_operation get_space get_watch ingest
    invert_bridge is_ready iterate_embeddings iterate_mutual_pairs list_bridges list_operations list_spaces list_watches
    local match mutual_pairs noise_ceiling pmi_space rebaseline_watch reliability run_watch server_info settings translate
    trend upsert wait_operation wait_ready watch watch_history writer"""
    assert sorted(public(Client)) == names.split()


@pytest.mark.parametrize("kind", [Client, AsyncClient, Writer, AsyncWriter])
def test_everything_public_is_documented_with_every_parameter(kind):
    assert inspect.getdoc(kind)
    for name in public(kind):
        told = inspect.getdoc(getattr(kind, name))
        assert told, name
        if "Args:" in told:
            for parameter in inspect.signature(getattr(kind, name)).parameters:
                assert parameter == "self" or f"{parameter}: " in told, (name, parameter)


HEAVY = ("consilience_server", "torch", "faiss", "redis", "lance", "pandas", "pyarrow", "rich", "typer")


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import consilience", (*HEAVY, "grpc", "numpy", "google.protobuf", "asyncio")),
        ("from consilience import Client, AsyncClient, align_arrays, errors, results; Client('localhost:1').close()", HEAVY),
        ("import consilience.cli", (*HEAVY, "grpc", "numpy")),
        ("import consilience.commands.app", HEAVY[:7]),
        ("from consilience.results import AlignmentReport", (*HEAVY, "grpc")),
    ],
)
def test_importing_loads_no_more_than_it_needs(code, absent):
    told = f"{code}\nimport sys\nprint(*(name for name in {absent!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == []
