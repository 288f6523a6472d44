"""`pipeline.yaml`: one business case, its tables, what is learned from them and what a good model is."""

from dropforge.contracts.pipeline.deployment import Deployment
from dropforge.contracts.pipeline.learned import Feature, Label
from dropforge.contracts.pipeline.load import parse
from dropforge.contracts.pipeline.logging import Logging
from dropforge.contracts.pipeline.monitoring import Monitoring
from dropforge.contracts.pipeline.repair import Repair
from dropforge.contracts.pipeline.schema import Join, Pipeline
from dropforge.contracts.pipeline.serving import Serving
from dropforge.contracts.pipeline.success import Success
from dropforge.contracts.pipeline.table import Column, Table
from dropforge.contracts.pipeline.training import Training
from dropforge.contracts.pipeline.window import Window

__all__ = [
    "Column",
    "Deployment",
    "Feature",
    "Join",
    "Label",
    "Logging",
    "Monitoring",
    "Pipeline",
    "Repair",
    "Serving",
    "Success",
    "Table",
    "Training",
    "Window",
    "parse",
]
