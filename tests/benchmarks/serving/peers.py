"""What others serve, each started as its own documentation says: the usual pandas and scikit-learn behind HTTP.

    python -m tests.benchmarks.serving.peers {fastapi,bentoml,litserve,mlflow} PORT ROWS_FILE

The pipeline has the size of ours (the same rows, booster and columns), fitted here at the start. One worker each, and
access logs off. Runs in the environment of `requirements.txt` beside it, which is not the project's.
"""

import json
import os
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

TEXTS = ["carrier", "origin", "dest"]
QUIET = "api_server.logging.access.enabled=false"
BIN = Path(sys.executable).parent


def framed(frame: Any) -> Any:
    """Raw columns as the pipeline takes them, the time as its parts."""
    pandas = import_module("pandas")
    when = pandas.to_datetime(frame["time_hour"], utc=True).dt.tz_convert("America/New_York")
    parts = frame.drop(columns="time_hour").assign(weekday=when.dt.day_of_week, day_of_year=when.dt.day_of_year)
    return parts.astype({name: float for name in parts if name not in TEXTS})


def fitted(rows_file: str) -> Any:
    """The pipeline, from a data frame of raw columns to probabilities."""
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import FunctionTransformer, OrdinalEncoder

    rows = json.loads(Path(rows_file).read_text())
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    encode = ColumnTransformer([("texts", codes, TEXTS)], remainder="passthrough")
    steps = [("frame", FunctionTransformer(framed)), ("encode", encode)]
    model = Pipeline([*steps, ("model", HistGradientBoostingClassifier(max_iter=100))])
    return model.fit(import_module("pandas").DataFrame(rows), [row["sched_dep_time"] > 1300 for row in rows])


def answers(model: Any, instances: list[dict[str, Any]]) -> dict[str, Any]:
    """As ours."""
    given = model.predict_proba(import_module("pandas").DataFrame(instances))[:, 1]
    return {"predictions": [{"probability": float(each), "label": bool(each > 0.5)} for each in given]}


def fastapi(port: int, rows: str) -> None:
    """FastAPI, as most tutorials show it."""
    model = fitted(rows)
    app = import_module("fastapi").FastAPI()

    def predict(body: dict[str, Any]) -> dict[str, Any]:
        return answers(model, body["instances"])

    app.post("/predict")(predict)
    import_module("uvicorn").run(app, port=port, access_log=False, log_level="warning")


def litserve(port: int, rows: str) -> None:
    """LitServe with one worker on the CPU."""
    os.environ["ROWS"] = rows
    served = import_module("tests.benchmarks.serving.lit").Flights()
    server = import_module("litserve").LitServer(served, accelerator="cpu", workers_per_device=1)
    server.run(port=port, num_api_servers=1, log_level="warning", generate_client_file=False)


def bentoml(port: int, rows: str) -> None:
    """`bentoml serve` of the service in `bento.py`."""
    given = os.environ | {"ROWS": rows, "BENTOML_DO_NOT_TRACK": "True", "BENTOML_CONFIG_OPTIONS": QUIET}
    service = "tests.benchmarks.serving.bento:Flights"
    os.execve(BIN / "bentoml", ["bentoml", "serve", service, "--port", str(port)], given)


def mlflow(port: int, rows: str) -> None:
    """`mlflow models serve` of the same pipeline, asked for probabilities."""
    folder = Path(tempfile.mkdtemp()) / "model"
    sklearn = import_module("mlflow.sklearn")
    sklearn.save_model(
        fitted(rows), folder, pyfunc_predict_fn="predict_proba", serialization_format="cloudpickle", pip_requirements=[]
    )
    told = ["models", "serve", "-m", str(folder), "--env-manager", "local", "-p", str(port), "-w", "1"]
    os.execve(BIN / "mlflow", ["mlflow", *told], os.environ | {"PATH": f"{BIN}:{os.defpath}"})  # it calls uvicorn


if __name__ == "__main__":
    {"fastapi": fastapi, "litserve": litserve, "bentoml": bentoml, "mlflow": mlflow}[sys.argv[1]](
        int(sys.argv[2]), sys.argv[3]
    )
