"""Dropforge: the code that the functions share, vendored into each of them.

Layers, imports running one way only: `contracts` (what parts agree on) <- `core` (steps over ports) <- `ml` (models)
and `gcp` (the ports on Google Cloud) <- the functions.
"""

__version__ = "0.1.0"
