"""The report of a batch for a person: one HTML file that needs no network."""

from dropforge.core.report.page import Told, page
from dropforge.core.report.telling import telling
from dropforge.core.report.written import write

__all__ = ["Told", "page", "telling", "write"]
