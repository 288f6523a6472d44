"""An environment that holds only what a bundle's own requirements name, made without a network.

The packages' files are linked from the running environment, found by each package's own record of what it installed.
"""

import importlib.metadata
from importlib.util import cache_from_source
from pathlib import Path

from functions.pins import read_requirements


def clean_site(requirements: Path, site: Path) -> Path:
    """Fill the folder `site` with the packages of `requirements`, and with their bytecode where there is some."""
    for requirement in read_requirements(requirements):
        for file in importlib.metadata.files(requirement.name) or []:
            source = Path(str(file.locate()))
            if ".." not in file.parts and source.is_file():
                _link(source, site / file)
                compiled = Path(cache_from_source(str(source)))
                if source.suffix == ".py" and compiled.is_file():
                    _link(compiled, Path(cache_from_source(str(site / file))))
    return site


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        target.symlink_to(source)
