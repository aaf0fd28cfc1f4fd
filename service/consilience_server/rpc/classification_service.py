"""ClassificationService: items by class prototypes of another space."""

# ruff: noqa: N802 - gRPC finds methods by the contract's names

from typing import Any

from consilience.v1 import classify_pb2, classify_pb2_grpc
from consilience_server.app.call import Call
from consilience_server.app.classifying import Classifying
from consilience_server.rpc.convert.classification import read_classify, write_classification
from consilience_server.rpc.execution import Execution


class ClassificationService(classify_pb2_grpc.ClassificationServiceServicer):
    """Converts, calls, converts.

    Args:
        classifying: the use case.
        execution: decides between answer and operation.
    """

    def __init__(self, classifying: Classifying, execution: Execution) -> None:
        self._classifying = classifying
        self._execution = execution

    async def Classify(self, request: classify_pb2.ClassifyRequest, _context: Any) -> bytes | classify_pb2.ClassifyResponse:
        """The nearest class of every item, and how right that is."""
        query = read_classify(request)

        async def work(call: Call) -> bytes:
            found = write_classification(await self._classifying.classify(call, query))
            return classify_pb2.ClassifyResponse(classification=found).SerializeToString(deterministic=True)

        return await self._execution.answer(request, classify_pb2.ClassifyResponse, lambda: self._classifying.estimate_seconds(query), work)
