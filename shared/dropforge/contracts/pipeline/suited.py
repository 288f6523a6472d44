"""Whether the parts of a pipeline suit what is predicted: a number, classes, or whether something is so."""

from collections.abc import Iterator

from dropforge.contracts.pipeline.learned import Label
from dropforge.contracts.pipeline.monitoring import Monitoring
from dropforge.contracts.pipeline.serving import Serving
from dropforge.contracts.pipeline.success import METRICS_OF, Success
from dropforge.contracts.pipeline.table import NUMERIC, Column
from dropforge.contracts.pipeline.training import KINDS_OF, Training


def suited(
    label: Label, column: Column, success: Success, training: Training, monitoring: Monitoring, serving: Serving
) -> Iterator[str]:
    """A sentence for each part that does not suit the label; `column` is the label's."""
    task = label.task
    if label.above is not None and column.type not in NUMERIC:
        yield f"'label' is a number 'above' a limit, but {label.column!r} is a {column.type}."
    if task == "regression" and column.type not in NUMERIC:
        yield f"'label' is of the kind 'number', but {label.column!r} is a {column.type}."
    if task == "multiclass" and column.type not in ("category", "boolean", "integer"):
        yield f"'label' is of the kind 'classes', which are a category, boolean or integer. It is a {column.type}."
    if success.metric not in METRICS_OF[task]:
        yield f"'metric' must be one of {', '.join(METRICS_OF[task])} for a {task} label. Got {success.metric!r}."
    for kind in training.models or ():
        if kind not in KINDS_OF[task]:
            yield f"'models' must be of {', '.join(KINDS_OF[task])} for a {task} label. Got {kind!r}."
    if task != "binary" and monitoring.metric != "accuracy":
        yield f"'monitoring' can watch only the accuracy of a {task} label. Got {monitoring.metric!r}."
    if task != "regression" and monitoring.within is not None:
        yield f"'within' is for labels of the kind 'number'. This one is {task}."
    if task == "multiclass" and serving.mode != "dynamic":
        yield f"'serving' keeps one number for a row, so classes are served 'dynamic'. Got {serving.mode!r}."
