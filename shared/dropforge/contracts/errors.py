"""Every error that Dropforge raises.

DropforgeError
|- Permanent: the same input will fail again; acknowledge it, and say why
|  |- SettingsInvalid      an environment variable is missing or cannot be read
|  |- PipelineInvalid      a pipeline.yaml breaks its schema
|  |- PipelineUnknown      no pipeline of this name is deployed
|  |- EventInvalid         a message is not of the form its topic promises
|  |- FileUnreadable       a dropped file cannot be read as a table
|  |- RequestInvalid       a prediction request breaks the contract
|  |- NotExplainable       a model's answers have no contributions of columns
|  |- ArtefactTampered     a model's digest is not the registry's
|  |- CallRefused          a Google service says that our call itself is wrong
|  |- ActionRefused        what a person asks for cannot be done as things are
|  |- LabelLeaks           a feature tells the label too well to be known before it
|  `- NotEnoughData        there are too few rows to train or to judge
`- Transient: raise it, and be delivered again
   |- AlreadyExists        create-if-absent found an object in its place
   |- GenerationMismatch   compare-and-set lost against another writer
   |- NotFound             an object is not there (yet)
   |- LeaseHeld            another run holds the lease
   |- ServiceUnavailable   a Google service or the model server did not answer
   `- JobFailed            a BigQuery job or a Vertex AI operation ended in an error
"""

from typing import Any


class DropforgeError(Exception):
    """The root. Keyword arguments become `fields`, which logs and verdicts carry beside the message."""

    def __init__(self, message: str, **fields: Any) -> None:
        super().__init__(message)
        self.message = message
        self.fields = fields


class Permanent(DropforgeError):
    """The same input will fail again: acknowledge, and say why."""


class SettingsInvalid(Permanent):
    """An environment variable is missing or cannot be read."""


class PipelineInvalid(Permanent):
    """A pipeline.yaml breaks its schema; `problems` in the fields lists each with its place."""


class PipelineUnknown(Permanent):
    """No pipeline of this name is deployed."""


class EventInvalid(Permanent):
    """A message is not of the form its topic promises."""


class FileUnreadable(Permanent):
    """A dropped file cannot be read as a table; `code` in the fields is the verdict's reason code."""


class RequestInvalid(Permanent):
    """A prediction request breaks the contract; `problems` in the fields lists instance, field, expected, found."""


class NotExplainable(Permanent):
    """A model's answers have no contributions of columns; the message says why."""


class ArtefactTampered(Permanent):
    """A model's digest is not the registry's; it is not loaded."""


class CallRefused(Permanent):
    """A Google service says that our call itself is wrong, so the same call will be refused again."""


class ActionRefused(Permanent):
    """What a person asks for cannot be done as things are; the message says what can."""


class LabelLeaks(Permanent):
    """A feature tells the label so well that it is probably known only after it; `columns` in the fields names it."""


class NotEnoughData(Permanent):
    """There are too few rows, or only one class, to train or to judge."""


class Transient(DropforgeError):
    """The same input may pass later: raise, and be delivered again."""


class AlreadyExists(Transient):
    """Create-if-absent found an object in its place."""


class GenerationMismatch(Transient):
    """Compare-and-set lost against another writer."""


class NotFound(Transient):
    """An object is not there, or not yet."""


class LeaseHeld(Transient):
    """Another run holds the lease."""


class ServiceUnavailable(Transient):
    """A Google service or the model server did not answer as promised."""


class JobFailed(Transient):
    """A BigQuery job or a Vertex AI operation ended in an error."""
