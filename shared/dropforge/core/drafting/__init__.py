"""A first draft of a `pipeline.yaml`, from a sample of the data: what can be seen in it, each guess with its reason.

A draft is where a person starts, not where one ends: it says what was seen, and asks where a sample cannot tell.
"""

from dropforge.core.drafting.draft import Draft, draft

__all__ = ["Draft", "draft"]
