#!/usr/bin/env python3
"""make_mel.py [ROOT]

Asks transformers' WhisperFeatureExtractor (its numpy path) for the log-mel of
small clips, and writes tests/golden/mel.txt: an object a line, with the
SHA-256 of the columns that are not padding as f32, f16 and bf16, the padding,
and some cells.  The clips are whole numbers that tests/unit/test_mel.c makes
in the same way.
"""
import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import torch
import transformers.models.whisper.feature_extraction_whisper as whisper

LENGTHS = (0, 1, 159, 160, 161, 200, 201, 399, 400, 401, 479, 480, 481, 1079,
           1080, 1081, 1399, 1400, 1401, 2680, 5000, 16001)
ENDS = (478600, 479799, 479800, 479801, 479959, 479960, 479999, 480000,
        480001, 490000)


def clip(kind, n):
    """N samples, i16."""
    i = np.arange(n, dtype=np.int64)
    if kind == "silence":
        return np.zeros(n, np.int16)
    if kind == "click":
        return np.where(i == 0, 32767, 0).astype(np.int16)
    if kind == "square":
        return np.where(i // 40 % 2 == 0, 32767, -32768).astype(np.int16)
    if kind == "chirp":
        return ((i * i // 64) % 65536 - 32768).astype(np.int16)
    seed, noise = 1, np.empty(n, np.int64)
    for k in range(n):
        seed = (seed * 1664525 + 1013904223) % 2**32
        noise[k] = seed >> 16
    size = i % 8000 if kind == "noise" else np.ones_like(i)
    return (noise % (2 * size + 1) - size).astype(np.int16)


def sha256(array):
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def bf16(array):
    return torch.from_numpy(array).to(torch.bfloat16).view(torch.int16).numpy()


def describe(kind, n, mels):
    extractor = whisper.WhisperFeatureExtractor(feature_size=mels)
    samples = clip(kind, n).astype(np.float32) / 32768
    got = extractor(samples, sampling_rate=16000, return_tensors="np", return_attention_mask=True)
    mel, frames = got["input_features"][0], int(got["attention_mask"].sum())
    columns = min(3000, (n + 200 + 159) // 160)
    pad = mel[0, -1] if columns < 3000 else None
    assert (mel[:, columns:] == pad).all()
    kept = np.ascontiguousarray(mel[:, :columns])
    at = [(m, c) for m in (0, mels // 2, mels - 1) for c in (0, columns // 2, columns - 1)]
    return {
        "kind": kind, "samples": n, "mels": mels, "frames": frames, "columns": columns,
        "pad": None if pad is None else pad.tobytes()[::-1].hex(),
        "cells": [[m, c, kept[m, c].tobytes()[::-1].hex()] for m, c in at],
        "f32": sha256(kept), "f16": sha256(kept.astype(np.float16)), "bf16": sha256(bf16(kept)),
    }


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    whisper.is_torch_available = lambda: False
    cases = [("noise", n, 128) for n in LENGTHS + ENDS]
    cases += [("chirp", n, 80) for n in LENGTHS[::3] + ENDS[::3]]
    cases += [(kind, 24000, mels) for mels in (80, 128)
              for kind in ("silence", "click", "square", "chirp", "noise", "quiet")]
    with open(root / "tests/golden/mel.txt", "w", encoding="utf-8") as f:
        for case in cases:
            f.write(json.dumps(describe(*case), separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
