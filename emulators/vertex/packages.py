"""Python packages of a custom job: fetched from Cloud Storage, unpacked, and run as a module.

https://cloud.google.com/vertex-ai/docs/training/create-python-pre-built-container. They are not installed: what they
depend on must be there in what plays the executor image, whose command in the table of images is a Python.
"""

import io
import tarfile
import zipfile
from pathlib import Path

import httpx

from emulators.vertex.errors import InvalidArgument, Unavailable
from emulators.vertex.names import last_segment
from emulators.vertex.objects import Objects
from emulators.vertex.schema import Json

SPEC = "pythonPackageSpec"


def check_package_spec(spec: Json) -> None:
    """Refuse a package spec that cannot be run.

    Raises:
        InvalidArgument: something is missing; the message says what.
    """
    missing = [field for field in ("executorImageUri", "packageUris", "pythonModule") if not spec.get(field)]
    if missing:
        raise InvalidArgument(f"WorkerPoolSpec.python_package_spec needs {', '.join(missing)}.")


async def as_containers(pools: list[Json], folder: Path) -> list[Json]:
    """The worker pools with a container in place of each package, unpacked below `folder`.

    Raises:
        NotFound: an object is not there.
        InvalidArgument: it is no package.
        Unavailable: Cloud Storage cannot be reached.
    """
    found = []
    for number, pool in enumerate(pools):
        if SPEC not in pool:
            found.append(pool)
            continue
        spec = pool[SPEC]
        try:
            paths = [await _unpacked(uri, folder / str(number)) for uri in spec["packageUris"]]
        except httpx.HTTPError as error:
            raise Unavailable(f"Cloud Storage could not be reached: {error}") from error
        container = {
            "imageUri": spec["executorImageUri"],
            "args": ["-m", spec["pythonModule"], *spec.get("args", [])],
            "env": [{"name": "PYTHONPATH", "value": ":".join(map(str, paths))}, *spec.get("env", [])],
        }
        found.append({**pool, "containerSpec": container})
    return found


async def _unpacked(uri: str, folder: Path) -> Path:
    """Unpack a wheel, or a source distribution; the folder that holds its modules."""
    async with Objects() as objects:
        content = await objects.read(uri)
    into = folder / last_segment(uri)
    into.mkdir(parents=True)
    try:
        if uri.endswith((".whl", ".zip")):
            with zipfile.ZipFile(io.BytesIO(content)) as wheel:
                wheel.extractall(into)
        else:
            with tarfile.open(fileobj=io.BytesIO(content)) as archive:
                archive.extractall(into, filter="data")
    except (zipfile.BadZipFile, tarfile.TarError) as error:
        raise InvalidArgument(f"{uri} is neither a wheel nor a source distribution: {error}") from error
    tops = list(into.iterdir())
    top = tops[0] if len(tops) == 1 and not uri.endswith(".whl") else into  # `trainer-0.1/` of a source distribution
    return top / "src" if (top / "src").is_dir() else top
