"""A batch against its own history: what is unusual about it, at a stated rate of false alarms."""

from dropforge.core.anomaly.examine import examine
from dropforge.core.anomaly.history import Earlier
from dropforge.core.anomaly.recorded import examined, warnings

__all__ = ["Earlier", "examine", "examined", "warnings"]
