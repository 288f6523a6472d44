"""`pipeline.yaml`: one business case, its tables, what is learned from them and what a good model is."""

from dropforge.contracts.pipeline.load import parse
from dropforge.contracts.pipeline.schema import Feature, Join, Label, Monitoring, Pipeline, Success, Training
from dropforge.contracts.pipeline.table import Column, Table

__all__ = ["Column", "Feature", "Join", "Label", "Monitoring", "Pipeline", "Success", "Table", "Training", "parse"]
