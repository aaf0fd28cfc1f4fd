import json
import sys
import types

import grpc
import numpy as np
import pyarrow.parquet as pq
import pytest
from support.scripted_server import Failure, report

from consilience import _arrays, cli, errors
from consilience.commands import align, connected, exit_codes
from consilience.commands.app import run
from consilience.commands.bridge import parse_pairs
from consilience.commands.gate import parse_qrels, parse_spaces
from consilience.v1 import alignment_pb2


@pytest.fixture
def call(address, capsys):
    """Runs a command against the scripted server: (exit code, stdout, stderr)."""

    def told(*arguments, server=True):
        code = run([*arguments, *(["--address", address] if server else [])])
        return code, *capsys.readouterr()

    return told


@pytest.fixture
def in_process(monkeypatch):
    """Stands in for the engine; what it was asked is in the list."""
    asked = []

    def answer(header, x, y, _beside):
        asked.append((header, x, y))
        return alignment_pb2.AlignArraysResponse(report=report(0.25))

    monkeypatch.setattr(_arrays, "align_embedded", answer)
    return asked


def test_spaces(call):
    assert call("spaces", "create", "clip", "3", "--modality", "image")[:2] == (0, "clip\t0\t0\t3\tcosine\n")
    assert call("spaces", "list")[:2] == (0, "clip\t0\t0\t3\tcosine\n")
    code, out, _ = call("spaces", "get", "clip", "--json")
    assert (code, json.loads(out)["modality"]) == (0, "image")
    assert call("spaces", "delete", "clip")[:2] == (0, "space clip is deleted\n")


def test_align_of_spaces(call, script):
    code, out, _ = call("align", "a", "b", "-k", "10,50", "--permutations", "0", "--interval", "queries", "--preprocess", "platonic_rep")
    assert (code, out.splitlines()[0][:22]) == (0, "mutual_knn@10 = 0.500 ")
    spec = script.last.spec
    assert (list(spec.ks), spec.skip_permutations, spec.interval_kind, spec.preprocess) == ([10, 50], True, 1, 2)
    assert json.loads(call("align", "a", "b", "--json")[1])["score"] == 0.5
    call("align", "a", "b", "-k", "5,n/100,.25")
    assert (list(script.last.spec.ks), list(script.last.spec.k_fractions)) == ([5], [0.01, 0.25])
    call("align", "a", "b", "--metric", "rbf_cka", "--bandwidth", "0.5*median", "--sample-items", "all")
    assert (script.last.spec.bandwidth, script.last.spec.bandwidth_factor, script.last.spec.all_items) == (0.0, 0.5, True)
    call("align", "a", "b", "--metric", "rsa", "--rdm-distance", "cosine", "--rdm-comparison", "pearson", "--sample-items", "99")
    spec = script.last.spec
    assert (spec.rdm_distance, spec.rdm_comparison, spec.sample_items) == (4, 2, 99)
    call("align", "a", "b", "--metric", "rbf_cka", "--bandwidth", "1.5")
    assert script.last.spec.bandwidth == 1.5
    assert call("align", "a", "b", "--metric", "rbf_cka", "--bandwidth", "wide")[0] == 2
    predicted = ["--folds", "4", "--folds-by", "run", "--target-score", "pearson", "--aggregate", "median", "--penalties", ".1,1"]
    call("align", "a", "b", "--metric", "linear_predictivity", *predicted, "--context")
    told = script.last.spec.predictivity
    assert (told.folds, told.folds_by, told.target_score, told.aggregate, list(told.penalties)) == (4, "run", 2, 2, [0.1, 1.0])
    assert script.last.spec.context
    assert call("align", "a", "b", "--metric", "linear_predictivity", "--penalties", "low")[0] == 2
    call("align", "a", "b", "--metric", "svcca", "--components", "3")
    assert script.last.spec.components == 3
    call("matrix", "a", "b", "-k", "n/50")
    assert (list(script.last.spec.ks), list(script.last.spec.k_fractions)) == ([], [0.02])


def test_answers_are_drawn_and_become_a_page(call, script, tmp_path):
    code, out, _ = call("matrix", "a", "b", "--plot", str(tmp_path / "a.svg"), "--html", str(tmp_path / "a.html"), "--json")
    assert (code, json.loads(out)["metric"]) == (0, "mutual_knn")
    assert "<svg" in (tmp_path / "a.svg").read_text()
    assert "<svg" in (tmp_path / "a.html").read_text()
    code, out, _ = call("report", "a", "b", "c", "-o", str(tmp_path / "r.html"), "-k", "5,10", "--title", "three")
    assert code == 0
    assert "<h1>three</h1>" in (tmp_path / "r.html").read_text()
    assert out.endswith("r.html\n")
    # Each pair is named, or the lines could not be told apart.
    assert out.splitlines().count("a@1 and b@2") == 3
    assert call("report", "a")[0] == exit_codes.exit_code(errors.InvalidArgumentError(""))


@pytest.mark.parametrize("options", [("--plot", "a.gif"), ("--plot", "absent/a.svg"), ("--html", "absent/a.html")])
def test_an_answer_is_printed_though_its_picture_cannot_be_written(call, script, tmp_path, options):
    code, out, err = call("matrix", "a", "b", options[0], str(tmp_path / options[1]))
    assert code == exit_codes.exit_code(errors.InvalidArgumentError(""))
    assert out.startswith("mutual_knn")
    assert err.startswith("consilience: ")
    code, out, err = call("matrix", "a", "b", options[0], str(tmp_path / options[1]), "--json")
    assert (json.loads(out)["metric"], json.loads(err)["field"]) == ("mutual_knn", "path")


def test_an_answer_is_printed_without_matplotlib(call, script, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    code, out, err = call("matrix", "a", "b", "--plot", str(tmp_path / "a.svg"))
    assert code == exit_codes.exit_code(errors.MissingExtraError(""))
    assert out.startswith("mutual_knn")
    assert "consilience[report]" in err


def test_citations_stand_beside_answers(call, script, tmp_path):
    numbers = tmp_path / "numbers.csv"
    numbers.write_text("a,1\nb,2\nc,3\n")
    for asked in (["matrix", "a", "b"], ["trend", str(numbers)], ["consensus", "a", "b"], ["watch", "show", "w"]):
        _, out, _ = call(*asked, "--cite")
        assert "Computed by Consilience" in out
        _, out, _ = call(*asked, "--cite", "--json")
        assert "Computed by Consilience" in json.loads(out)["citation"]
    assert "Computed by" not in call("matrix", "a", "b")[1]


def test_groups_of_items_are_asked_of_trends_and_comparisons(call, script, tmp_path):
    numbers = tmp_path / "numbers.csv"
    numbers.write_text("a,1\nb,2\nc,3\n")
    for asked in (["trend", str(numbers)], ["compare", "a", "b", "a", "c"]):
        call(*asked, "--group-by", "group_id")
        assert script.last.spec.group_by == "group_id"


def test_layers_of_files_are_joined_row_by_row(tmp_path):
    stack, ids = np.arange(24.0).reshape(4, 3, 2), np.array(["b", "a", "d", "c"])
    np.savez(tmp_path / "x.npz", ids=ids, vectors=stack)
    for at in range(2):
        np.savez(tmp_path / f"y{at}.npz", ids=ids[::-1], vectors=np.full((4, at + 1), float(at)) + np.arange(4.0)[:, None])
    y = ",".join(str(tmp_path / f"y{at}.npz") for at in range(2))
    left, right, dropped, _ = align.paired(str(tmp_path / "x.npz"), y)
    assert np.array_equal(left, stack[[1, 0, 3, 2]])
    assert [layer[:, 0].tolist() for layer in right] == [[2.0, 3.0, 0.0, 1.0], [3.0, 4.0, 1.0, 2.0]]
    assert dropped == (0, 0)
    np.savez(tmp_path / "y1.npz", ids=ids, vectors=np.ones((4, 1)))
    with pytest.raises(errors.InvalidArgumentError, match="other ids"):
        align.paired(str(tmp_path / "x.npz"), y)


def test_align_of_files_needs_no_server(call, in_process, tmp_path):
    x, y = np.arange(12.0).reshape(4, 3), np.ones((4, 2))
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", y)
    code, out, _ = call("align", str(tmp_path / "x.npy"), str(tmp_path / "y.npy"), "--similarity", "squared_l2", server=False)
    assert (code, out[:22]) == (0, "mutual_knn@10 = 0.250 ")
    ((header, left, _),) = in_process
    assert header.similarity == 3
    np.testing.assert_array_equal(left, x)


def test_files_with_ids_are_joined_by_id_in_byte_order(call, in_process, tmp_path):
    np.savez(tmp_path / "x.npz", ids=np.array(["b", "a", "z", "B"]), vectors=np.array([[1.0], [2.0], [3.0], [4.0]]))
    np.savez(tmp_path / "y.npz", ids=np.array(["a", "B", "b"]), vectors=np.array([[20.0], [40.0], [10.0]]))
    code, out, _ = call("align", str(tmp_path / "x.npz"), str(tmp_path / "y.npz"), "--json", server=False)
    ((_, left, right),) = in_process
    assert (left.ravel().tolist(), right.ravel().tolist()) == ([4.0, 2.0, 1.0], [40.0, 20.0, 10.0])
    assert (code, json.loads(out)["dropped_x"], json.loads(out)["dropped_y"]) == (0, 1, 0)


def test_an_alignment_is_cited_and_has_its_controls(call, script):
    code, out, _ = call("align", "a", "b", "--control", "pixels", "--control", "words:y", "--cite", "--json")
    assert code == 0
    assert "was measured by mutual k-nearest neighbours" in json.loads(out)["citation"]
    sides = [(control.space.name, control.in_place_of) for control in script.last.controls]
    assert sides == [("spaces/pixels", alignment_pb2.SIDE_X), ("spaces/words", alignment_pb2.SIDE_Y)]


def test_a_matrix_is_cited(call):
    code, out, _ = call("matrix", "a", "b", "--cite", "--json")
    assert code == 0
    assert "was measured by" in json.loads(out)["citation"]


def test_files_stand_beside_files_by_position(call, in_process, tmp_path):
    for name in ("x", "y", "pixels", "words", "z"):
        np.save(tmp_path / f"{name}.npy", np.ones((4, 2)))
    files = {name: str(tmp_path / f"{name}.npy") for name in ("x", "y", "pixels", "words", "z")}
    controls = ("--control", files["pixels"], "--control", f"{files['words']}:y")
    assert call("align", files["x"], files["y"], *controls, "--given", files["z"], server=False)[0] == 0
    ((header, _, _),) = in_process
    named = [(control.name, control.in_place_of) for control in header.controls]
    assert named == [("pixels", alignment_pb2.SIDE_X), ("words", alignment_pb2.SIDE_Y)]
    assert header.given_columns == 2
    layers = f"{files['pixels']},{files['words']}"
    assert call("align", f"{files['x']},{files['z']}", files["y"], "--control", f"{layers}:y", server=False)[0] == 0
    (control,) = in_process[-1][0].controls
    assert (control.name, list(control.layer_columns), control.in_place_of) == ("pixels,words", [2, 2], alignment_pb2.SIDE_Y)
    code, _, err = call("align", files["x"], files["y"], "--control", "pixels", server=False)
    assert code != 0
    assert "beside files stand .npy files" in err


def test_the_labels_of_a_file_go_with_its_items(tmp_path):
    np.savez(tmp_path / "x.npz", ids=np.array(["b", "a", "z"]), vectors=np.ones((3, 1)))
    np.savez(tmp_path / "y.npz", ids=np.array(["a", "b"]), vectors=np.ones((2, 1)), label=np.array(["of a", "of b"]))
    *_, labels = align.paired(str(tmp_path / "x.npz"), str(tmp_path / "y.npz"), "label")
    assert labels.tolist() == ["of a", "of b"]
    with pytest.raises(errors.InvalidArgumentError, match=r"neither .* has an array 'split'"):
        align.paired(str(tmp_path / "x.npz"), str(tmp_path / "y.npz"), "split")


@pytest.mark.parametrize(("left", "right", "reason"), [(["a"], ["b"], "NO_COMMON_ITEMS"), (["a", "a"], ["a", "b"], "DUPLICATE_ID")])
def test_files_that_do_not_join(tmp_path, left, right, reason):
    for name, ids in (("x", left), ("y", right)):
        np.savez(tmp_path / f"{name}.npz", ids=np.array(ids), vectors=np.ones((len(ids), 2)))
    with pytest.raises(errors.InvalidArgumentError) as refused:
        align.paired(str(tmp_path / "x.npz"), str(tmp_path / "y.npz"))
    assert refused.value.reason == reason


def test_bridges_as_files(call, script, tmp_path):
    model, whole = tmp_path / "b.onnx", tmp_path / "b.safetensors"
    assert call("bridge", "export", "b", str(model), "--side", "target")[1] == f"{model}: 14 bytes\n"
    assert model.read_bytes() == b"onnx of side 2"
    # The second part says where the first ended and whose it was.
    assert (script.last.offset, script.last.uid) == (8, "u")
    told = json.loads(call("bridge", "download", "b", str(whole), "--json")[1])
    assert told == {"bridge": "b", "path": str(whole), "bytes": 11}
    assert whole.read_bytes() == b"safetensors"
    assert call("bridge", "export", "b", str(tmp_path / "no" / "folder"))[0] == 2
    assert call("bridge", "export", "b", str(model), "--side", "both")[0] == 2


def test_a_bridge_measured_by_ones_own_head(call, script, tmp_path):
    (tmp_path / "head.onnx").write_bytes(b"head")
    (tmp_path / "classes.txt").write_text("cat\ndog\n")
    files = ["--head", str(tmp_path / "head.onnx"), "--head-classes", str(tmp_path / "classes.txt")]
    assert call("bridge", "evaluate", "b", "--labels", "species", *files)[0] == 0
    assert (script.last.labels_attribute, script.last.head, list(script.last.head_classes)) == ("species", b"head", ["cat", "dog"])


def test_penalties_of_a_bridge(call, script):
    assert call("bridge", "fit", "a", "b", "c", "--method", "ridge", "--penalties", ".01,1,100")[0] == 0
    assert (list(script.last.penalties), script.last.bridge_id) == ([0.01, 1.0, 100.0], "c")
    assert call("bridge", "fit", "a", "b", "c")[0] == 0
    assert list(script.last.penalties) == []
    assert call("bridge", "fit", "a", "b", "c", "--penalties", "many")[0] == 2


def test_pairs_that_an_attribute_joins(call, script):
    assert call("bridge", "fit", "a", "b", "a-to-b", "--pair-attribute", "photo")[0] == 0
    assert (script.last.pairs.attribute, list(script.last.pairs.item_ids)) == ("photo", [])
    assert call("bridge", "evaluate", "a-to-b", "--pair-attribute", "photo")[0] == 0
    assert (script.last.pairs.attribute, script.last.mode) == ("photo", 0)
    assert call("bridge", "fit", "a", "b", "a-to-b", "--pair-attribute", "")[0] == 2


def test_bridges_of_bridges(call, script, tmp_path):
    assert json.loads(call("bridge", "compose", "a-to-b", "b-to-c", "--name", "a-to-c", "--json")[1])["method"] == "composed"
    assert (list(script.last.bridges), script.last.bridge_id) == (["bridges/a-to-b", "bridges/b-to-c"], "a-to-c")
    (tmp_path / "pairs.txt").write_text("y\tx\n")
    code, out, _ = call("bridge", "invert", "a-to-b", "--name", "b-to-a", "--pairs", str(tmp_path / "pairs.txt"))
    assert code == 0
    assert "inverted of a-to-b" in out
    assert out.endswith("\n  As told.\n")
    assert (list(script.last.pairs.item_ids), list(script.last.pairs.target_ids)) == (["y"], ["x"])


def test_embeddings_go_into_files_and_addresses_of_stores_are_read(call, tmp_path):
    assert call("spaces", "create", "docs", "1")[0] == 0
    code, out, _ = call("spaces", "export", "docs@3", str(tmp_path / "docs.parquet"))
    assert (code, out.startswith("docs@3 · 5 items x 1 in ")) == (0, True)
    assert pq.read_table(tmp_path / "docs.parquet")["id"].to_pylist() == [f"item-{row}" for row in range(5)]
    code, _, told = call("ingest", "docs", "qdrant://localhost:6333/?vector=a")
    assert (code, "names no collection" in told) == (2, True)


def test_matrix_bridges_matches_and_pairs(call, script, tmp_path):
    code, out, _ = call("matrix", "a", "b", "c", "--items", "pairwise")
    assert (code, len(out.splitlines())) == (0, 5)
    (tmp_path / "pairs.txt").write_text("x\ty\nz\tz\n")
    assert call("bridge", "fit", "a", "b", "a-to-b", "--method", "ridge", "--pairs", str(tmp_path / "pairs.txt"))[0] == 0
    assert (list(script.last.pairs.item_ids), list(script.last.pairs.target_ids)) == (["x", "z"], ["y", "z"])
    assert [entry["name"] for entry in json.loads(call("bridge", "list", "--json")[1])] == ["b", "b2"]
    assert call("match", "q1", "q2", "--bridge", "a-to-b", "-k", "1")[1] == "q1\t1\tx\t1.000000\t1.000000\nq2\t1\tx\t1.000000\t1.000000\n"
    np.save(tmp_path / "queries.npy", np.ones((1, 3)))
    told = json.loads(call("match", "--vectors", str(tmp_path / "queries.npy"), "--space", "b", "-k", "2", "--json")[1])
    assert (told["queries"], told["ids"]) == (["0"], [["x", "x"]])
    (tmp_path / "some.txt").write_text("x\ny\n")
    assert call("match", "q1", "--space", "b", "-k", "1", "--index", "hnsw", "--ef-search", "9")[0] == 0
    assert (script.match_requests[-1].index, script.match_requests[-1].index_parameters.ef_search) == (2, 9)
    assert call("match", "q1", "--space", "b", "-k", "1", "--gallery-ids", str(tmp_path / "some.txt"))[0] == 0
    assert list(script.match_requests[-1].gallery_ids.ids) == ["x", "y"]
    assert call("match", "q1", "--space", "b", "-k", "1", "--exclude-ids", str(tmp_path / "some.txt"))[0] == 0
    assert list(script.match_requests[-1].exclude_ids.ids) == ["x", "y"]
    assert call("match", "q1", "--space", "b", "--exclude-ids", str(tmp_path / "none.txt"))[0] == 2
    assert call("pairs", "a", "b")[1].splitlines()[0] == "a\tx\t0.900000"
    code, out, told = call("pairs", "a", "b", "--mode", "max", "--threshold", "0.5", "--known", str(tmp_path / "pairs.txt"))
    assert (script.last.mode, script.last.threshold, list(script.last.known.target_ids)) == (4, 0.5, ["y", "z"])
    assert told.startswith("precision 0.500")
    out = call("pairs", "a", "b", "--out", str(tmp_path / "pairs.parquet"))[1]
    assert out.startswith("3 one-to-one pairs of a@1")
    assert call("match", "q1", "--space", "b", "-k", "2", "--out", str(tmp_path / "found.parquet"))[0] == 0
    assert [pq.read_table(tmp_path / f"{name}.parquet").num_rows for name in ("pairs", "found")] == [3, 2]


def test_ingest(call, script, tmp_path):
    np.save(tmp_path / "a.npy", np.eye(3))
    (tmp_path / "ids.txt").write_text("x\ny\nz\n")
    code, out, _ = call("ingest", "a", str(tmp_path / "a.npy"), "--ids", str(tmp_path / "ids.txt"), "--create")
    assert (code, out) == (0, "a@1 · 3 inserted · 0 replaced · 0 unchanged\n")
    assert "spaces/a" in script.spaces


def test_doctor(call, script):
    code, out, _ = call("doctor")
    assert code == 0
    assert "extra [server]: " in out
    assert "ready" in out
    told = json.loads(call("doctor", "--json")[1])
    assert (told["server"]["version"], told["packages"]["grpcio"], told["extras"]["cli"]["complete"]) == ("9", grpc.__version__, True)
    script.serving = False
    assert call("doctor")[0] == 1
    code, out, _ = call("doctor", "--address", "127.0.0.1:1", server=False)
    assert (code, "no server answers" in out) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["spaces", "get", "nobody"], 3),
        (["align", "a", "b", "--metric", "magic"], 2),
        (["align", "a", "b", "-k", "ten"], 2),
        (["align", "a", "b", "-k", "n/ten"], 2),
        (["align", "a", "b", "-k", "n/100,5"], 2),
        (["matrix", "a", "b", "-k", "5,10"], 2),
        (["align", "a.npy", "b"], 2),
        (["match", "x"], 2),
        (["ingest", "a", "nothing.npy"], 2),
        (["nonsense"], 2),
        (["spaces", "create", "a", "wide"], 2),
    ],
)
def test_exit_codes(call, arguments, code):
    assert call(*arguments)[0] == code


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (Failure(grpc.StatusCode.INTERNAL, "INTERNAL"), 1),
        (Failure(grpc.StatusCode.RESOURCE_EXHAUSTED, "MEMORY_BUDGET"), 1),
        (Failure(grpc.StatusCode.ALREADY_EXISTS, "SPACE_EXISTS"), 4),
        (Failure(grpc.StatusCode.FAILED_PRECONDITION, "STORE_READ_ONLY"), 4),
        (Failure(grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED"), 5),
    ],
)
def test_the_servers_refusals_have_exit_codes_too(call, script, failure, code):
    script.failures["CreateSpace"] = [failure]
    told, out, err = call("spaces", "create", "a", "3")
    assert (told, out) == (code, "")
    assert failure.reason in err


def test_with_json_errors_are_json_too(call):
    code, out, err = call("spaces", "get", "nobody", "--json")
    assert (code, out, json.loads(err)["reason"], json.loads(err)["error"]) == (3, "", "SPACE_NOT_FOUND", "NotFoundError")


def test_every_error_has_an_exit_code_and_the_help_names_each():
    def kinds(kind):
        return [kind, *(below for child in kind.__subclasses__() for below in kinds(child))]

    codes = {exit_codes.exit_code(kind("told")) for kind in kinds(errors.ConsilienceError)}
    assert codes == {1, 2, 3, 4, 5}
    for code in (0, *codes, exit_codes.INTERRUPTED):
        assert f"{code} " in exit_codes.HELP


def test_an_interruption_is_130(call, monkeypatch):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(connected, "open_client", interrupted)
    assert call("spaces", "list")[0] == 130


def test_local_opens_a_folder_in_this_process(call, monkeypatch, tmp_path, address):
    opened = []
    monkeypatch.setattr(connected.Client, "local", lambda path, timeout: opened.append(path) or connected.Client(address, timeout=timeout))
    assert call("spaces", "list", "--local", str(tmp_path), server=False)[0] == 0
    assert opened == [tmp_path]


def test_serve_hands_everything_to_the_server(call, monkeypatch):
    seen = []
    server = types.ModuleType("consilience_server.__main__")
    server.main = lambda arguments: seen.append(arguments) or 7
    monkeypatch.setitem(sys.modules, "consilience_server.__main__", server)
    assert call("serve", "--data", "here", "--help", "--port=1", server=False)[0] == 7
    assert seen == [["--data", "here", "--help", "--port=1"]]
    monkeypatch.setitem(sys.modules, "consilience_server.__main__", None)
    code, _, err = call("serve", server=False)
    assert (code, "pip install 'consilience[server]'" in err) == (2, True)


def test_without_its_packages_the_command_line_names_the_extra(monkeypatch, capsys):
    for name in [name for name in sys.modules if name.startswith("consilience.commands")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "typer", None)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert "pip install 'consilience[cli]'" in capsys.readouterr().err


def test_the_door_runs_the_command(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["consilience", "--version"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 0
    assert capsys.readouterr().out.strip()


def test_pairs_of_equal_ids_need_no_second_column():
    assert parse_pairs(["x", "y", ""]) == (["x", "y"], None)
    assert parse_pairs(["x\ty", "z"]) == (["x", "z"], ["y", "z"])


def test_matrices_from_files(tmp_path, capsys):
    points = np.random.default_rng(0).normal(size=(30, 3))
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    ids = [f"{row:02d}" for row in range(30)]
    np.save(tmp_path / "rdm.npy", distances)
    (tmp_path / "ids.txt").write_text("\n".join(ids))
    np.savez(tmp_path / "rdm.npz", ids=ids[5:], rdm=distances[5:, 5:][np.triu_indices(25, 1)])
    np.savez(tmp_path / "points.npz", ids=ids[::-1], vectors=points[::-1])
    kernel = ["--kind", "kernel", "--dissimilarity", "--dissimilarity-kind", "euclidean"]
    local = ["--local", str(tmp_path / "store"), "--json"]
    assert run(["ingest", "rdm", str(tmp_path / "rdm.npy"), "--ids", str(tmp_path / "ids.txt"), "--create", *kernel, *local]) == 0
    assert json.loads(capsys.readouterr().out)["space"]["dissimilarity_kind"] == "euclidean"
    assert run(["spaces", "create", "part", *kernel, *local]) == 0
    assert run(["ingest", "part", str(tmp_path / "rdm.npz"), "--kind", "kernel", *local]) == 0
    capsys.readouterr()
    assert run(["align", "rdm", "part", "-k", "5", *local]) == 0
    assert json.loads(capsys.readouterr().out)["score"] == 1
    files = [str(tmp_path / "rdm.npz"), str(tmp_path / "points.npz")]
    options = ["--x-kernel", "euclidean", "--similarity", "squared_l2", "-k", "5", "--json"]
    assert run(["align", *files, *options]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["score"], told["n"], told["dropped_y"], told["kernel_rule_x"]) == (1, 25, 5, "-d")
    assert run(["align", "rdm", "part", "--x-kernel", "euclidean", *local]) == 2
    assert run(["ingest", "rdm", str(tmp_path / "ids.txt"), "--kind", "kernel", *local]) == 2
    for wrong in (["--kind", "kernels"], ["--dissimilarity"], ["--repeat", "ann"]):
        assert run(["ingest", "rdm", str(tmp_path / "rdm.npz"), *wrong, *local]) == 2


def test_the_noise_ceiling_of_a_file_of_raters(tmp_path, capsys):
    draw = np.random.default_rng(0)
    points = draw.normal(size=(12, 3))
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)[np.triu_indices(12, 1)]
    ids = [f"{row:02d}" for row in range(12)]
    np.savez(tmp_path / "raters.npz", ids=ids, rdm=distances + draw.random((3, 66)))
    np.savez(tmp_path / "points.npz", ids=ids, vectors=points)
    local = ["--local", str(tmp_path / "store"), "--json"]
    raters = ["--kind", "kernel", "--dissimilarity", "--repeat", "ann", "--repeat", "bob", "--repeat", "cyd"]
    assert run(["ingest", "raters", str(tmp_path / "raters.npz"), "--create", *raters, *local]) == 0
    assert json.loads(capsys.readouterr().out)["space"]["repeats"] == ["ann", "bob", "cyd"]
    assert run(["ingest", "points", str(tmp_path / "points.npz"), "--create", *local]) == 0
    capsys.readouterr()
    assert run(["ceiling", "raters", "points", "--rdm-distance", "euclidean", "--draws", "20", *local]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["lower"] < told["upper"]
    assert told["scores"]["points"]["interval"][0] < told["scores"]["points"]["score"]
    assert run(["ceiling", "points", *local]) == 2


@pytest.mark.parametrize(
    "text", ["q1 0 d1 2\nq1 0 d2 1\nq2 0 d1 1\n", "q1\td1\t2\nq1\td2\t1\n\nq2\td1\t1", '{"q1": {"d1": 2, "d2": 1}, "q2": ["d1"]}']
)
def test_judgements_are_read_in_three_ways(text):
    assert parse_qrels(text) == {"q1": {"d1": 2.0, "d2": 1.0}, "q2": {"d1": 1.0}}


@pytest.mark.parametrize("text", ["q1 d1", "q1 0 d1 high", '{"q1": 3}', "{"])
def test_judgements_that_cannot_be_read(text):
    with pytest.raises(errors.InvalidArgumentError, match="cannot be read"):
        parse_qrels(text)


@pytest.mark.parametrize("text", ["a", "a,", ",b", "a,b,c"])
def test_query_spaces_are_two(text):
    with pytest.raises(errors.InvalidArgumentError, match="two spaces"):
        parse_spaces(text)
