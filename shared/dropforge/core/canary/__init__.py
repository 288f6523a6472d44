"""The canary: a version that passed the judge answers a share of the requests before it answers all.

Its state is one object a pipeline, and valid only beside the generation of the champion pointer that it was begun
beside: whatever moves the pointer, a rollback above all, ends it by that alone. What serves is made to follow the two
by `core.champion.follow`.
"""

from dropforge.core.canary.evidence import merged
from dropforge.core.canary.moves import close, current, moves, put, running

__all__ = ["close", "current", "merged", "moves", "put", "running"]
