"""The rules a batch is held to, and what becomes of each of its rows."""

from dropforge.core.validation.batch import batch_reasons
from dropforge.core.validation.history import held_against
from dropforge.core.validation.judge import Files, Judged, judge
from dropforge.core.validation.references import referenced

__all__ = ["Files", "Judged", "batch_reasons", "held_against", "judge", "referenced"]
