"""The reports of a batch and of a pipeline for a person: each one HTML file that needs no network."""

from dropforge.core.report.course import courses
from dropforge.core.report.page import Told, page
from dropforge.core.report.telling import telling
from dropforge.core.report.whole import whole
from dropforge.core.report.written import write

__all__ = ["Told", "courses", "page", "telling", "whole", "write"]
