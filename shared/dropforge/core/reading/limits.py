"""What a file may ask of the machine. Beyond it a file, a line or a record gets a verdict, and nothing is killed."""

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True)
class Limits:
    """Sizes in bytes unless said otherwise.

    `record`: one line, or one record of several lines within quotes. `record_lines`: lines of one record.
    `columns`: columns of a table. `ratio`: how many times its size a compressed file may become, once it is past
    `ratio_from`; gzip itself ends at about 1,030. `content`: the file when it is decompressed.
    """

    record: int = MIB
    record_lines: int = 200
    columns: int = 1_000
    ratio: int = 200
    ratio_from: int = 64 * MIB
    content: int = 64 * 1024 * MIB
    reject_text: int = 64 * 1024
    chunk: int = MIB
