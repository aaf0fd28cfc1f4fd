"""A BridgeStore of a dictionary: the plain twin that use cases are tested on."""

from consilience_server.core.errors import BridgeExists, BridgeNotFound


class MemoryBridges:
    def __init__(self):
        self.artefacts, self.deletions = {}, {}

    def put(self, artefact):
        if artefact.name in self.artefacts:
            raise BridgeExists(artefact.name)
        self.artefacts[artefact.name] = artefact

    def get(self, name):
        if name not in self.artefacts:
            raise BridgeNotFound(name)
        return self.artefacts[name]

    def list(self, after, limit):
        return [self.artefacts[name] for name in sorted(self.artefacts) if name > after][:limit]

    def delete(self, name, request_id=""):
        if request_id and self.deletions.get(request_id) == name:
            return
        self.deletions[request_id] = name
        self.get(name)
        del self.artefacts[name]

    def exists(self, name):
        return name in self.artefacts

    def uid(self, name):
        if name not in self.artefacts:
            raise BridgeNotFound(name)
        return self.artefacts[name].uid
