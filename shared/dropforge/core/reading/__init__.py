"""From a dropped file to rows of text: what it is, found from its content, and every record accounted for."""

from dropforge.core.reading.file import Reading, read
from dropforge.core.reading.limits import Limits

__all__ = ["Limits", "Reading", "read"]
