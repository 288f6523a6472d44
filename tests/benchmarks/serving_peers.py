"""What others serve: a constant, and the usual FastAPI application with pandas and a scikit-learn pipeline.

The pipeline has the size of ours (the same rows, booster and columns), fitted here at the start.
"""

from typing import Any

import functions_framework.aio
from starlette.requests import Request

ANSWER = {"predictions": [{"probability": 0.25, "label": False}]}


@functions_framework.aio.http
async def constant(request: Request) -> dict[str, Any]:
    """The bound: functions-framework, a body read, and nothing computed."""
    await request.body()
    return ANSWER


def fastapi_with_pandas() -> Any:
    """The application that most tutorials show; packages from the folder of peers."""
    import pandas as pd  # type: ignore[import-not-found,import-untyped,unused-ignore]  # not of this project
    from fastapi import FastAPI  # type: ignore[import-not-found,unused-ignore]  # not of this project
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import OrdinalEncoder

    from tests.functions.trained import flights

    def framed(instances: list[dict[str, Any]]) -> Any:
        frame = pd.DataFrame(instances)
        when = pd.to_datetime(frame.pop("time_hour"), utc=True).dt.tz_convert("America/New_York")
        frame["weekday"], frame["day_of_year"] = when.dt.weekday, when.dt.dayofyear
        return frame.astype({name: float for name in frame if name not in texts})

    texts = ["carrier", "origin", "dest"]
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    encode = ColumnTransformer([("texts", codes, texts)], remainder="passthrough")
    model = Pipeline([("encode", encode), ("model", HistGradientBoostingClassifier(max_iter=100))])
    rows = flights()
    model.fit(framed(rows), [row["sched_dep_time"] > 1300 for row in rows])
    app = FastAPI()

    def predict(body: dict[str, Any]) -> dict[str, Any]:
        given = model.predict_proba(framed(body["instances"]))[:, 1]
        return {"predictions": [{"probability": float(each), "label": bool(each > 0.5)} for each in given]}

    app.post("/predict")(predict)
    return app
