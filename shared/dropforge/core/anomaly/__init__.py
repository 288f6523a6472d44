"""A batch against its own history: what is unusual about it, at a stated rate of false alarms."""

from dropforge.core.anomaly.examine import examine
from dropforge.core.anomaly.history import Earlier

__all__ = ["Earlier", "examine"]
