"""The canary's course: begun, looked at, taken a step on, made champion or taken back."""

from dropforge.ml.canary.course import begin, drive, wanted

__all__ = ["begin", "drive", "wanted"]
