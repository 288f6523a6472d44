"""The compiled predictor: an artefact's encoder and model as plain numbers, for serving.

It needs the standard library and nothing else, so a server starts in a fraction of the time. `ml.export` derives it,
and lets none serve that does not agree with the artefact.
"""

from dropforge.core.compiled.classes import Classes
from dropforge.core.compiled.columns import Column
from dropforge.core.compiled.explained import Explanation
from dropforge.core.compiled.form import FORMAT, Predictor, dump, load
from dropforge.core.compiled.linear import Linear, Term
from dropforge.core.compiled.personal import Offsets, Personal, Scale
from dropforge.core.compiled.trees import Compiled, Trees

__all__ = [
    "FORMAT",
    "Classes",
    "Column",
    "Compiled",
    "Explanation",
    "Linear",
    "Offsets",
    "Personal",
    "Predictor",
    "Scale",
    "Term",
    "Trees",
    "dump",
    "load",
]
