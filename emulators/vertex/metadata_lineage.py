"""What hangs together in Vertex ML Metadata: executions with what they read and wrote, from wherever one begins."""

from collections.abc import Sequence

from emulators.vertex.calls import Call, Handler
from emulators.vertex.metadata import EVENT, MEMBER, STORE, Metadata
from emulators.vertex.schema import Json
from emulators.vertex.state import Store


class MetadataLineage:
    """Calls that answer with a graph."""

    def __init__(self, store: Store, metadata: Metadata) -> None:
        self._store = store
        self._metadata = metadata

    def handlers(self) -> dict[str, Handler]:
        """Calls by name."""
        base = f"aiplatform.{STORE}"
        return {
            f"{base}.contexts.queryContextLineageSubgraph": self.context_subgraph,
            f"{base}.artifacts.queryArtifactLineageSubgraph": self.artifact_subgraph,
            f"{base}.executions.queryExecutionInputsAndOutputs": self.inputs_and_outputs,
        }

    async def inputs_and_outputs(self, call: Call) -> Json:
        """An execution with its artifacts and events."""
        return self._subgraph([self._metadata.existing(call.name)], [])

    async def context_subgraph(self, call: Call) -> Json:
        """What is in a context, with the events between."""
        self._metadata.existing(call.name)
        names = [link["member"] for link in self._store.all(MEMBER) if link["context"] == call.name]
        members = [self._metadata.existing(name) for name in names if "/contexts/" not in name]
        executions = [node for node in members if "/executions/" in node["name"]]
        return self._subgraph(executions, [node for node in members if node not in executions])

    async def artifact_subgraph(self, call: Call) -> Json:
        """What an artifact was made of, and what was made of it: up to `maxHops` executions away, all by default."""
        artifacts = {call.name: self._metadata.existing(call.name)}
        executions: dict[str, Json] = {}
        events, left = self._store.all(EVENT), int(call.option("maxHops") or len(self._store.all("executions")))
        while left:
            left -= 1
            near = {each["execution"] for each in events if each["artifact"] in artifacts} - executions.keys()
            if not near:
                break
            executions |= {name: self._metadata.existing(name) for name in near}
            reached = {each["artifact"] for each in events if each["execution"] in near} - artifacts.keys()
            artifacts |= {name: self._metadata.existing(name) for name in reached}
        return self._subgraph(list(executions.values()), list(artifacts.values()))

    def _subgraph(self, executions: Sequence[Json], artifacts: Sequence[Json]) -> Json:
        events = [event for execution in executions for event in self._store.all(EVENT, f"{execution['name']} ")]
        known = {node["name"]: node for node in artifacts}
        known |= {event["artifact"]: self._metadata.existing(event["artifact"]) for event in events}
        shown = [{key: value for key, value in event.items() if key != "_name"} for event in events]
        return {"artifacts": list(known.values()), "executions": [*executions], "events": shown}
