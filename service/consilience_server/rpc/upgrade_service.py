"""UpgradeService: whether an encoder can change without re-embedding."""

# ruff: noqa: N802 - gRPC finds methods by the contract's names

from typing import Any

from consilience.v1 import upgrade_pb2, upgrade_pb2_grpc
from consilience_server.app.call import Call
from consilience_server.app.upgrading import Upgrades
from consilience_server.rpc.convert.upgrade import read_upgrade, write_upgrade
from consilience_server.rpc.execution import Execution


class UpgradeService(upgrade_pb2_grpc.UpgradeServiceServicer):
    """Converts, calls, converts.

    Args:
        upgrades: the use case.
        execution: decides between answer and operation.
    """

    def __init__(self, upgrades: Upgrades, execution: Execution) -> None:
        self._upgrades = upgrades
        self._execution = execution

    async def EvaluateUpgrade(
        self, request: upgrade_pb2.EvaluateUpgradeRequest, _context: Any
    ) -> bytes | upgrade_pb2.EvaluateUpgradeResponse:
        """What each way to change the encoder keeps, and the verdict."""
        query = read_upgrade(request)

        async def work(call: Call) -> bytes:
            report = write_upgrade(await self._upgrades.evaluate(call, query))
            return upgrade_pb2.EvaluateUpgradeResponse(report=report).SerializeToString(deterministic=True)

        # Without a call of its own the estimate hears no deadline: it reads two records.
        return await self._execution.answer(
            request,
            upgrade_pb2.EvaluateUpgradeResponse,
            lambda: self._upgrades.estimate_seconds(Call("evaluate_upgrade"), query),
            work,
        )
