"""How a request becomes an answer: which model serves, whether the request fits it, and what the model says."""

from .service import Service

__all__ = ["Service"]
