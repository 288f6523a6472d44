"""Compressed files: recognised by their first bytes, read as a bounded stream."""

import bz2
import gzip
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

from dropforge.contracts.errors import FileUnreadable
from dropforge.core.reading.limits import Limits

MAGIC = (
    (re.compile(rb"\x1f\x8b"), "gzip"),
    (re.compile(rb"BZh[1-9]1AY&SY"), "bz2"),
    (re.compile(rb"\x28\xb5\x2f\xfd"), "zstd"),
    (re.compile(rb"\xfd7zXZ\x00"), "xz"),
    (re.compile(rb"PK(\x03\x04|\x05\x06)"), "zip"),  # the second is an empty one
)
ENCRYPTED = 0x1  # of the general purpose flags, APPNOTE.TXT 4.4.4
BROKEN = (EOFError, OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, NotImplementedError, RuntimeError)


def find(head: bytes) -> str:
    """The compression that a file beginning with `head` has, or `none`."""
    return next((name for magic, name in MAGIC if magic.match(head)), "none")


def chunks(path: Path, compression: str, limits: Limits) -> Iterator[bytes]:
    """The content of a file, decompressed, in chunks of at most `limits.chunk` bytes.

    Raises:
        FileUnreadable: `truncated`, `corrupt`, `expands_too_much`, or, for a zip, `several_files`, `no_file`,
            `encrypted`.
    """
    size = path.stat().st_size
    read = 0
    with ExitStack() as stack:
        try:
            stream = _open(path, compression, stack)
            while chunk := stream.read(limits.chunk):
                read += len(chunk)
                _check(read, size, compression, limits)
                yield chunk
        except BROKEN as error:
            raise _broken(compression, error) from error


def _open(path: Path, compression: str, stack: ExitStack) -> IO[bytes] | Any:
    if compression == "gzip":
        return stack.enter_context(gzip.open(path))
    if compression == "bz2":
        return stack.enter_context(bz2.open(path))
    if compression == "xz":
        return stack.enter_context(lzma.open(path))
    if compression == "zip":
        return _only_member(stack.enter_context(zipfile.ZipFile(path)), stack)
    if compression == "zstd":
        import pyarrow as pa  # the standard library of Python 3.13 has no zstd

        return stack.enter_context(pa.CompressedInputStream(pa.OSFile(str(path)), "zstd"))
    return stack.enter_context(path.open("rb"))


def _only_member(archive: zipfile.ZipFile, stack: ExitStack) -> IO[bytes]:
    members = [info for info in archive.infolist() if not info.is_dir() and "__MACOSX" not in info.filename]
    names = [info.filename for info in members]
    if len(members) != 1:
        raise FileUnreadable(
            f"Expected a zip of one file. Found {len(names)}: {', '.join(names[:5]) or 'none'}. Drop each by itself.",
            code="several_files" if names else "no_file",
            expected=1,
            observed=len(names),
        )
    if members[0].flag_bits & ENCRYPTED:
        raise FileUnreadable(
            f"The zip needs a password, which is not known here: {names[0]!r} is encrypted. Drop it without.",
            code="encrypted",
            expected="a zip without a password",
            observed=names[0],
        )
    return stack.enter_context(archive.open(members[0]))


def _check(read: int, size: int, compression: str, limits: Limits) -> None:
    if read > limits.content:
        raise FileUnreadable(
            f"The file holds more than {limits.content >> 20:,} MiB of content. Drop it in smaller parts.",
            code="too_large",
            expected=limits.content,
            observed=read,
        )
    if compression != "none" and read > limits.ratio_from and read > limits.ratio * size:
        raise FileUnreadable(
            f"The {compression} file of {size:,} bytes becomes more than {limits.ratio} times its size, as a"
            f" decompression bomb would: reading stopped at {read:,} bytes.",
            code="expands_too_much",
            expected=limits.ratio,
            observed=read // max(size, 1),
        )


def _broken(compression: str, error: Exception) -> FileUnreadable:
    truncated = isinstance(error, EOFError) or "truncated" in str(error).lower()
    what = "ends in the middle, so its upload was cut short" if truncated else f"is damaged ({error})"
    return FileUnreadable(
        f"The {compression} file {what}. Drop the whole file again.",
        code="truncated" if truncated else "corrupt",
        expected=f"a whole {compression} file",
        observed="a part of one" if truncated else str(error),
    )
