from dataclasses import replace

import pytest
from support.bridge_bench import BridgeBench, paired_clouds

from consilience_server.app.bridge_export import BridgeExports, ExportQuery
from consilience_server.app.call import Call
from consilience_server.core import errors

CALL = Call("export_bridge")


class Written:
    """Says what it was asked; counts how often."""

    def __init__(self):
        self.times = 0

    def model(self, artefact, side):
        self.times += 1
        return f"{artefact.uid} {side}".encode()


@pytest.fixture
async def bench():
    bench = BridgeBench()
    for name, rows in zip("xy", paired_clouds(), strict=True):
        bench.space(name, rows)
    await bench.bridging.fit(Call("fit_bridge"), bench.query(method="procrustes"))
    return bench


async def test_parts_fit_together_and_are_written_once(bench):
    written = Written()
    exports = BridgeExports(bench.derived, {"onnx": written}, part_bytes=10)
    content, query = b"", ExportQuery("b", "target")
    while True:
        part = await exports.export(CALL, query)
        assert len(part.content) <= 10
        content += part.content
        if len(content) == part.total:
            break
        query = replace(query, offset=len(content), uid=part.uid)
    assert content.decode() == f"{bench.bridges.get('b').uid} target"
    assert written.times == 1


async def test_refusals(bench):
    exports = BridgeExports(bench.derived, {"onnx": Written()}, part_bytes=10)
    for query, error, message in (
        (ExportQuery("nobody"), errors.BridgeNotFound, "nobody"),
        (ExportQuery("b", uid="other"), errors.BridgeNotFound, "made anew"),
        (ExportQuery("b", offset=10_000), errors.InvalidArgument, "10,000"),
        (ExportQuery("b", format="safetensors"), errors.ExtraMissing, "cannot write safetensors"),
    ):
        with pytest.raises(error, match=message):
            await exports.export(CALL, query)
