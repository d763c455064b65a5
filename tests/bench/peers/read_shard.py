"""read_shard.py SHARD OUT [--limit N]: an epoch of training input from a shard.

A reader in as few lines as ossicle(5) allows, and so also a check that they are
enough: the seek table from the end of the file, frames by their offsets, a
safetensors header each; batches of four pairs, with the tensors that
LLaMA-Factory's collator makes (chosen first, then rejected, each with its
audio).  OUT/times.json tells the CPU seconds of the epoch alone.
"""
import argparse
import json
import mmap
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import zstandard

BATCH, COLUMNS, PAD_ID, IGNORE = 4, 3000, 151643, -100
TYPES = {"F32": np.float32, "I32": np.int32, "F16": np.float16,
         "BF16": np.int16}


def frames(file: mmap.mmap) -> list[tuple[int, int, int]]:
    """(offset, size, size of its content) of each data frame, from the seek
    table."""
    count, _, magic = struct.unpack("<IBI", file[-9:])
    if magic != 0x8F92EAB1:
        raise ValueError("no seek table")
    sizes = np.frombuffer(file[-9 - 8 * count:-9], "<u4").reshape(-1, 2)
    ends = np.cumsum(sizes[:, 0], dtype=np.int64)
    has_data = sizes[:, 1] > 0
    return list(zip((ends - sizes[:, 0])[has_data].tolist(),
                    *sizes[has_data].T.tolist()))


def tensors(body: bytearray) -> tuple[dict[str, np.ndarray], dict]:
    """What a safetensors file holds, without copying, and its record."""
    n = int.from_bytes(body[:8], "little")
    header = json.loads(body[8:8 + n])
    record = json.loads(header.pop("__metadata__")["record"])
    return {name: np.frombuffer(
        body, TYPES[t["dtype"]], count=int(np.prod(t["shape"])),
        offset=8 + n + t["data_offsets"][0]).reshape(t["shape"])
        for name, t in header.items()}, record


class Batches:
    """Batches of pairs.  What is large is kept: fresh memory costs more than
    to fill it.  The features are in one of two buffers by turns, so that a
    batch holds until the next but one."""

    def __init__(self, path: Path):
        with open(path, "rb") as f:
            self.file = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)
        self.frames = frames(self.file)
        self.zstd = zstandard.ZstdDecompressor()
        self.buffers: list[np.ndarray] = []
        self.bodies = [bytearray() for _ in range(BATCH)]

    def pair(self, i: int, slot: int) -> tuple[dict[str, np.ndarray], dict]:
        """Pair I, whose tensors hold until the next one in SLOT."""
        at, n, size = self.frames[i]
        if len(self.bodies[slot]) < size:
            self.bodies[slot] = bytearray(size)
        body = memoryview(self.bodies[slot])[:size]
        # To the end, since the checksum is there.
        with self.zstd.stream_reader(memoryview(self.file)[at:at + n]) as r:
            if r.readinto(body) != size or r.read(1):
                raise ValueError("the seek table is wrong")
        return tensors(self.bodies[slot])

    def features(self, pairs: list, turn: int) -> torch.Tensor:
        """Each clip twice, padded to 30 s with its own padding's value."""
        first = pairs[0][0]["input_features.0"]
        shape = (2 * BATCH, first.shape[0], COLUMNS)
        if not self.buffers:
            self.buffers = [np.empty(shape, first.dtype) for _ in range(2)]
        buffer = self.buffers[turn % 2]
        for i, (tensor, record) in enumerate(pairs):
            mel = tensor["input_features.0"]
            pad = np.float32(record["audio"][0]["pad"])
            if mel.dtype == np.int16:       # bfloat16: the upper half
                pad = pad.view(np.int32) >> 16
            for side in (i, len(pairs) + i):
                buffer[side, :, :mel.shape[1]] = mel
                buffer[side, :, mel.shape[1]:] = pad
        out = torch.from_numpy(buffer[:2 * len(pairs)])
        return out.view(torch.bfloat16) if first.dtype == np.int16 else out

    def batch(self, at: int, end: int) -> dict[str, torch.Tensor]:
        pairs = [self.pair(i, i - at) for i in range(at, end)]
        ids = [p[0][f"{side}_input_ids"] for side in ("chosen", "rejected")
               for p in pairs]
        labels = [p[0][f"{side}_labels"] for side in ("chosen", "rejected")
                  for p in pairs]
        frames_ = [p[1]["audio"][0]["frames"] for p in pairs] * 2
        width = -(-max(map(len, ids)) // 8) * 8
        out = {name: np.full((len(ids), width), fill, np.int64)
               for name, fill in (("input_ids", PAD_ID), ("labels", IGNORE),
                                  ("attention_mask", 0))}
        mask = np.zeros((len(ids), COLUMNS), np.int64)
        for row, (i, label, n) in enumerate(zip(ids, labels, frames_)):
            out["input_ids"][row, :len(i)] = i
            out["labels"][row, :len(i)] = label
            out["attention_mask"][row, :len(i)] = 1
            mask[row, :n] = 1
        out["feature_attention_mask"] = mask
        return {"input_features": self.features(pairs, at // BATCH),
                **{k: torch.from_numpy(v) for k, v in out.items()}}

    def epoch(self, limit: int | None) -> Iterator[dict[str, torch.Tensor]]:
        n = min(len(self.frames), limit or len(self.frames))
        for at in range(0, n, BATCH):
            yield self.batch(at, min(at + BATCH, n))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("shard", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--limit", type=int)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    batches = Batches(args.shard)
    start = time.process_time()
    pairs = sum(len(b["input_ids"]) // 2 for b in batches.epoch(args.limit))
    (args.out / "times.json").write_text(json.dumps(
        {"pairs": pairs, "epoch": time.process_time() - start}))


if __name__ == "__main__":
    main()
