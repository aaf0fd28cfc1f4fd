"""The stream of Translate: batches in, their rows out, cut so that every answer fits a message."""

from collections.abc import AsyncGenerator, AsyncIterator

from consilience.v1 import match_pb2
from consilience_server.app.call import Call
from consilience_server.app.translation import SideName, Translation
from consilience_server.core.errors import InvalidArgument
from consilience_server.rpc.convert.enums import served
from consilience_server.rpc.convert.matrix import read_vectors, write_matrix
from consilience_server.rpc.convert.names import bridge_id, expected_bridge

SIDES: dict[match_pb2.TranslateSide, SideName] = {
    match_pb2.TRANSLATE_SIDE_UNSPECIFIED: "source",
    match_pb2.TRANSLATE_SIDE_SOURCE: "source",
    match_pb2.TRANSLATE_SIDE_TARGET: "target",
}
_ANSWER_BYTES = 2 << 20


async def translate_stream(
    call: Call, translation: Translation, requests: AsyncIterator[match_pb2.TranslateRequest]
) -> AsyncGenerator[match_pb2.TranslateResponse]:
    """Answers of all batches, in order; the next batch is read once the one before is answered.

    Raises:
        InvalidArgument: no bridge in the first message, another one in a later message.
        Whatever `Translation.open` and `OpenTranslation.translate` raise.
    """
    opened = None
    async for request in requests:
        uid = ""
        if opened is None:
            side = served(match_pb2.TranslateSide, request.side, SIDES, "side", what="side")
            expected = expected_bridge(request.expected_bridge)
            opened = await translation.open(call, bridge_id(request.bridge, "bridge"), side, expected, uncentred=request.uncentred)
            uid = opened.artefact.uid
        elif request.bridge and bridge_id(request.bridge, "bridge") != opened.artefact.name:
            raise InvalidArgument(f"one stream goes through one bridge, {opened.artefact.name!r}; begin another for others", field="bridge")
        mapped = await opened.translate(call, read_vectors(request.vectors, "vectors"))
        step = max(1, _ANSWER_BYTES // (4 * mapped.shape[1]))
        for start in range(0, len(mapped), step):
            yield match_pb2.TranslateResponse(vectors=write_matrix(mapped[start : start + step]), bridge_uid=uid)
            uid = ""
    if opened is None:
        raise InvalidArgument("the stream ended without a message; the first names the bridge", field="bridge")
