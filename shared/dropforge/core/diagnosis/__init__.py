"""What probably happened to a column that moved, with evidence, confidence and a repair."""

from dropforge.core.diagnosis.diagnose import diagnose

__all__ = ["diagnose"]
