"""The shop with two more columns: what a visitor spent, a number, and on what kind of goods, one of three classes."""

import numpy as np
import pyarrow as pa

from tests.ml.shop import YAML, Shop

_COLUMNS = "      spent: {type: number}\n      goods: {type: category}\n"
_TEXT = YAML.replace("label: {name: buys, column: bought, above: 0}", f"{_COLUMNS}LABEL").replace(
    "success: {metric: roc_auc, floor: 0.55", "success: {METRIC"
)
NUMBER = _TEXT.replace("LABEL", "label: {name: sum, column: spent, kind: number}").replace(
    "METRIC", "metric: mae, floor: 20"
)
CLASSES = _TEXT.replace("LABEL", "label: {name: kind, column: goods, kind: classes}").replace(
    "METRIC", "metric: log_loss, floor: 1.05"
)
TEXTS = {"number": NUMBER, "classes": CLASSES}


def shop(text: str) -> Shop:
    """A shop that predicts this."""
    return Shop(text=text)


def shopped(rows: pa.Table) -> pa.Table:
    """The visits, with what was spent, more where more pages were seen, and what goods, by region and pages."""
    random = np.random.default_rng(rows["id"][0].as_py())
    pages = np.nan_to_num(rows["pages"].to_numpy(), nan=6.0)
    spent = 2 * pages + 5 * (np.array(rows["region"].to_pylist()) == "north") + random.normal(size=len(pages))
    which = np.digitize(pages + random.normal(size=len(pages)), [4, 8])
    goods = np.array(["books", "shoes", "tea"])[which]
    return rows.append_column("spent", pa.array(spent)).append_column("goods", pa.array(goods.tolist()))
