"""Profiles: what a batch looks like, measured by DuckDB, and how two of them add up to the profile of both."""

from dropforge.core.profile.measure import measure
from dropforge.core.profile.merge import merge, merged

__all__ = ["measure", "merge", "merged"]
