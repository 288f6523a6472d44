"""Suggestions in terms of pipeline.yaml: what a cause says of a column, as lines that can be pasted there."""

import json
from collections.abc import Collection, Mapping
from typing import Any

from dropforge.contracts.examination import Repair


def repair(name: str, change: str, **keys: Any) -> Repair:
    """The `repair` of the column `name` that has these keys.

    >>> repair("origin", "Undo it.", trim=True).yaml
    'origin: {repair: {trim: true}}'
    """
    said = ", ".join(f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in keys.items())
    return Repair(change=change, yaml=f"{name}: {{repair: {{{said}}}}}")


def written(value: float) -> str:
    """A number as a file most likely has it, in full: what is to be matched must not be rounded.

    >>> written(2147483647.0), written(-99.5)
    ('2147483647', '-99.5')
    """
    return str(int(value)) if value.is_integer() else repr(value)


def exchange(name: str, other: str) -> Repair:
    """Each of two columns read from the other."""
    one, two = (repair(*pair, read_from=read).yaml for pair, read in (((name, ""), other), ((other, ""), name)))
    return Repair(
        change=f"To undo it, read {name!r} from {other!r}, and {other!r} from {name!r}.", yaml=f"{one}\n{two}"
    )


def respell(cause: str, name: str, known: Collection[str], hits: Mapping[str, str]) -> Repair:
    """What brings known values back that came in another spelling; `hits` are those seen, and what they were."""
    if cause == "padded":
        return repair(name, f"To undo it, trim {name!r}.", trim=True)
    if cause == "mojibake":
        return repair(name, f"To undo it, read {name!r} in its own encoding.", mojibake=True)
    for case in ("upper", "lower"):
        if cause == "recased" and all(value == getattr(value, case)() for value in known):
            return repair(name, f"To undo it, put {name!r} in {case} case.", case=case)
    lengths = {len(value) for value in known}
    if cause == "leading_zeros" and len(lengths) == 1 and any(value.startswith("0") for value in known):
        return repair(name, f"To undo it, put the zeros of {name!r} back.", pad_zeros=lengths.pop())
    if cause == "leading_zeros" and not any(value.startswith("0") for value in known):
        return repair(name, f"To undo it, take the zeros of {name!r} away.", remove="^0+")
    return repair(name, f"To undo it, give the values of {name!r} their names again.", rename=dict(hits))
