"""Rows in quarantine: which file they are of, what was decided about them, and how they are judged again.

Why it is built so: docs/decisions/0008-a-replay-is-a-batch-of-its-own.md.
"""

from dropforge.core.quarantine.actions import discard, judge_again
from dropforge.core.quarantine.held import Held, Link, find, held
from dropforge.core.quarantine.rows import fetch, sample

__all__ = ["Held", "Link", "discard", "fetch", "find", "held", "judge_again", "sample"]
