"""The chat engine and what it holds: targets are loaded when they are asked, all that can be."""

from collections.abc import Mapping
from dataclasses import replace

from workbench.chat.client import ChatEngine, EngineDied
from workbench.chat.protocol import Held, Target
from workbench.errors import WorkbenchError


class Models:
    """The engine's process; it starts with the first message.

    Attributes:
        engine: the process and its pipe.
        facts: of each target that is held: its device, its context.
    """

    def __init__(self) -> None:
        self.engine = ChatEngine()
        self.facts: dict[str, Held] = {}
        self._held: dict[str, Target] = {}
        self._cpu = False

    def holds(self, wanted: Mapping[str, Target]) -> bool:
        """Whether all of these can be asked at once; how one is called makes no difference."""
        return self.engine.running and all(
            key in self._held and replace(self._held[key], label=target.label) == target
            for key, target in wanted.items()
        )

    async def start(self) -> None:
        """Start the process where it does not run; a new one holds nothing.

        Raises EngineDied; WorkbenchError: it cannot be started.
        """
        if not self.engine.running:
            self.forget()
            await self.engine.start(cpu=self._cpu)

    async def use_processor(self) -> None:
        """Leave the GPU, which has no room, for as long as the pane lives; memory is given back."""
        self._cpu = True
        await self.engine.close()

    def forget(self) -> None:
        """What is held may have been given back: the engine is asked again before the next answer."""
        self._held = {}

    async def hold(self, wanted: Mapping[str, Target]) -> dict[str, WorkbenchError]:
        """Load these and no others. One that cannot be loaded does not keep the others from answering.

        Returns:
            Why, for each key that is not held.

        Raises EngineDied; WorkbenchError as `start`.
        """
        await self.start()
        if self.holds(wanted):
            return {}
        self.forget()
        try:
            await self._load(wanted)
        except EngineDied:
            raise
        except WorkbenchError as error:
            if len(wanted) == 1:
                return dict.fromkeys(wanted, error)
            return await self._hold_one_by_one(wanted)
        return {}

    async def _hold_one_by_one(self, wanted: Mapping[str, Target]) -> dict[str, WorkbenchError]:
        good: dict[str, Target] = {}
        refused: dict[str, WorkbenchError] = {}
        for key, target in wanted.items():
            try:
                await self._load({**good, key: target})
            except EngineDied:
                raise
            except WorkbenchError as error:
                refused[key] = error
            else:
                good[key] = target
        return refused

    async def _load(self, wanted: Mapping[str, Target]) -> None:
        loaded = await self.engine.load(wanted)
        self._held, self.facts = dict(wanted), loaded.held


def key_of(target: Target) -> str:
    """The short key under which the engine holds a target; the newest checkpoint of a run keeps its own."""
    if target.weights is None:
        return "base"
    return f"{target.run}/newest" if target.kind == "newest" else f"{target.run}/{target.step}"
