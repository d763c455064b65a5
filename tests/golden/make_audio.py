#!/usr/bin/env python3
"""make_audio.py: tests/golden/resample.txt and mix.txt, from the originals.

Needs librosa, soxr, torch and torchaudio (tests/conformance/requirements.txt).
Inputs are made by the formula in `signal', which the unit tests have too.
"""
from pathlib import Path

import librosa
import numpy as np
import torch
import torchaudio

HERE = Path(__file__).resolve().parent
RATES = (8000, 11025, 22050, 24000, 44100, 48000, 96000, 44101, 15999, 1, 7)


def signal(n):
    """N values from -0.5 to 0.5, without a library."""
    state, out = np.uint32(1), np.empty(n, np.float32)
    with np.errstate(over="ignore"):
        for i in range(n):
            state = state * np.uint32(1664525) + np.uint32(1013904223)
            out[i] = np.float32(int(state >> np.uint32(8))) / 2**24 - 0.5
    return out


def xxh(values):
    """FNV-1a, 64 bits, over their bytes: enough to tell them apart."""
    h = 0xcbf29ce484222325
    for byte in np.asarray(values, "<f4").tobytes():
        h = (h ^ byte) * 0x100000001b3 & (1 << 64) - 1
    return f"{h:016x}"


def floats(values):
    return " ".join(f"{v:08x}" for v in np.asarray(values, "<f4").view("<u4"))


def resample():
    """RATE N LENGTH DIGEST of soxr, then 8 samples of sinc, as bits."""
    for rate in RATES:
        for n in (1, 17, min(rate // 2 + 1, 30000)):
            x = signal(n)
            soxr = librosa.resample(x, orig_sr=rate, target_sr=16000)
            sinc = torchaudio.functional.resample(
                torch.from_numpy(x)[None], rate, 16000)[0].numpy()
            at = [len(sinc) * k // 8 for k in range(8)]
            yield (f"{rate} {n} {len(soxr)} {xxh(soxr)} {len(sinc)} "
                   f"{floats(sinc[at])}")


def lengths():
    """KIND RATE N LENGTH, where rounding matters."""
    for rate in RATES + (16000, 32000, 12345, 192000, 1000000):
        for n in (0, 1, 441, 44100, 48000 * 30, 44100 * 3600, 2**31 + 7,
                  10**11 + 3):
            soxr = n if rate == 16000 else int(np.ceil(n * (16000.0 / rate)))
            g = np.gcd(rate, 16000)
            up, down = int(16000 // g), int(rate // g)
            sinc = n if rate == 16000 else min(
                int(torch.ceil(torch.as_tensor(up * n / down)).long()),
                (n // down + 1) * up)
            yield f"{rate} {n} {soxr} {sinc}"


def mix():
    """CHANNELS, and the bits of 8 frames mixed by librosa, and by torch."""
    for channels in (2, 3, 5, 6, 7, 8, 9, 16, 17, 24, 64, 100, 128, 129, 255,
                     256, 1000, 1024):
        x = signal(8 * channels).reshape(8, channels)
        # A block of so many frames is added in torch's main order, of which
        # the first eight are kept.
        many = np.ascontiguousarray(np.tile(x, (64, 1)).T)
        yield (f"{channels} {floats(librosa.to_mono(x.T))} "
               f"{floats(torch.from_numpy(many).mean(dim=0)[:8].numpy())}")


def main():
    for name, lines in (("resample", resample()), ("lengths", lengths()),
                        ("mix", mix())):
        (HERE / f"{name}.txt").write_text("".join(f"{x}\n" for x in lines))


if __name__ == "__main__":
    main()
