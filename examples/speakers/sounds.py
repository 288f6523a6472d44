"""Make the rows of this example from recordings: what was said, by whom, and 65 numbers of how it sounds.

    python examples/speakers/sounds.py FOLDER_WITH_WAV_FILES > takes.csv

The files are those of the Free Spoken Digit Dataset, `{digit}_{speaker}_{take}.wav`, 8 kHz, mono, 16 bit (CC BY-SA 4.0,
https://github.com/Jakobovski/free-spoken-digit-dataset, folder `recordings`); they are not part of this repository. The
numbers are mel-frequency cepstral coefficients: log energies of 26 mel bands in frames of 25 ms, their first 13 cosine
coefficients, averaged over each fifth of the recording. The day is the number of the take, for the order in which a
speaker's takes were recorded is all that is known of their time.
"""

import csv
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct, rfft
from scipy.io import wavfile

RATE = 8000  # samples a second
FRAME, HOP, POINTS = 200, 80, 256  # samples: 25 ms, every 10 ms, padded
BANDS, COEFFICIENTS, PARTS = 26, 13, 5
SOUNDS = [f"s{part}_{number:02}" for part in range(PARTS) for number in range(COEFFICIENTS)]
HEADER = ["speaker", "digit", "take", "day", *SOUNDS]
FIRST_DAY = date(2017, 1, 1)

Floats = NDArray[np.float64]


def main() -> int:
    """Write the rows of a folder, in the order of time."""
    folder = Path(sys.argv[1]) if len(sys.argv) == 2 else None
    files = sorted(folder.glob("*_*_*.wav")) if folder else []
    if not files:
        found = f"There is none in {folder}." if folder else "No folder was given."
        print(f"Expected a folder with recordings named DIGIT_SPEAKER_TAKE.wav. {found}\n\n{__doc__}", file=sys.stderr)
        return 2
    made = sorted(rows(files), key=lambda row: (row[2], row[0], row[1]))
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(made)
    return 0


def rows(files: list[Path]) -> Iterator[list[Any]]:
    """A row for each recording."""
    for file in files:
        digit, speaker, take = file.stem.split("_")
        read: tuple[int, NDArray[Any]] = wavfile.read(file)
        rate, samples = read
        if rate != RATE:
            raise ValueError(f"{file}: expected {RATE} samples a second. Found {rate}.")
        day = FIRST_DAY + timedelta(days=int(take))
        yield [speaker, digit, int(take), day.isoformat(), *(round(value, 4) for value in sound(samples))]


def sound(samples: NDArray[Any]) -> list[float]:
    """The numbers of a recording, part by part; shorter ones than a frame are padded with silence."""
    signal = np.pad(samples.astype(float), (0, max(0, FRAME - len(samples))))
    signal = np.append(signal[0], signal[1:] - 0.97 * signal[:-1])  # pre-emphasis: speech has little energy up high
    frames = np.lib.stride_tricks.sliding_window_view(signal, FRAME)[::HOP] * np.hamming(FRAME)
    energies = np.abs(rfft(frames, POINTS)) ** 2 @ _mel_bands().T
    coefficients = dct(np.log(energies + 1.0), norm="ortho")[:, :COEFFICIENTS]
    edges = np.linspace(0, len(coefficients), PARTS + 1)
    parts = [coefficients[int(low) : max(int(high), int(low) + 1)] for low, high in pairwise(edges)]
    means: list[float] = np.concatenate([part.mean(axis=0) for part in parts]).tolist()
    return means


def _mel_bands() -> Floats:
    """Triangles over the spectrum, as wide as hearing tells pitches apart; shape (BANDS, POINTS // 2 + 1)."""
    highest = 2595 * np.log10(1 + RATE / 2 / 700)
    edges = 700 * (10 ** (np.linspace(0, highest, BANDS + 2) / 2595) - 1)
    frequencies = np.fft.rfftfreq(POINTS, 1 / RATE)
    low, centre, high = (edges[start : start + BANDS, None] for start in range(3))
    rising, falling = (frequencies - low) / (centre - low), (high - frequencies) / (high - centre)
    return np.maximum(0.0, np.minimum(rising, falling))


if __name__ == "__main__":
    sys.exit(main())
