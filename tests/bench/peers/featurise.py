"""What the shard writers below share: a pair's ids, labels and log-mel, as
their users compute them, with transformers.

The tokenizer is the fast one, the feature extractor is called as its training
code calls it (padded to 30 s, since the numbers depend on it) and its result is
cut to the length of the clip before it is stored.  --processor is the plainer
way, that of the model's own examples: the processor is called for both sides,
each with its audio, and the features are stored as they come.
"""
from __future__ import annotations

import argparse
import atexit
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np
import soundfile
from transformers import (AutoTokenizer, Qwen2AudioProcessor,
                          WhisperFeatureExtractor)

RATE = 16000


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path, help="a folder with data.json")
    parser.add_argument("model", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--processor", action="store_true")
    return parser.parse_args()


class Clock:
    """Tells in OUT/times.json the CPU seconds when row FEW began and at the
    end, for what a row costs beyond start-up."""
    FEW = 20

    def __init__(self, out: Path):
        self.out, self.rows, self.first = out, 0, 0.0
        atexit.register(self.tell)

    def row(self) -> None:
        if self.rows == self.FEW:
            self.first = time.process_time()
        self.rows += 1

    def tell(self) -> None:
        (self.out / "times.json").write_text(json.dumps(
            {"rows": self.rows - self.FEW, "first": self.first,
             "end": time.process_time()}))


def rows(args: argparse.Namespace) -> Iterator[dict]:
    """The rows of data.json, with the paths of their clips made whole."""
    clock = Clock(args.out)
    text = (args.data / "data.json").read_text(encoding="utf-8")
    for row in json.loads(text)[:args.limit]:
        clock.row()
        row["audios"] = [str(args.data / path) for path in row["audios"]]
        yield row


def audio_tokens(frames: int) -> int:
    """How many tokens FRAMES become: two convolutions of the encoder."""
    return ((frames - 1) // 2 + 1 - 2) // 2 + 1


def load(path: str) -> np.ndarray:
    """Mono samples at 16 kHz."""
    x, rate = soundfile.read(path, dtype="float32", always_2d=True)
    x = x.mean(axis=1) if x.shape[1] > 1 else x[:, 0]
    if rate != RATE:
        import soxr

        x = soxr.resample(x, rate, RATE)
    return x


def prompt_of(tokenizer, row: dict, audio: str) -> str:
    """The chat template's text of ROW's turns, with AUDIO for its clip."""
    return tokenizer.apply_chat_template(
        [{"role": "user" if m["from"] == "human" else "assistant",
          "content": m["value"].replace("<audio>", audio)}
         for m in row["conversations"]],
        tokenize=False, add_generation_prompt=True)


class Featurise:
    """Each clip once, each text once."""

    def __init__(self, model: Path):
        self.tokenizer = AutoTokenizer.from_pretrained(model)
        self.extractor = WhisperFeatureExtractor.from_pretrained(model)

    def mel(self, path: str) -> np.ndarray:
        """The columns of the log-mel that the model attends to."""
        got = self.extractor(load(path), sampling_rate=RATE,
                             return_attention_mask=True, return_tensors="np")
        return np.ascontiguousarray(
            got["input_features"][0, :, :int(got["attention_mask"].sum())])

    def texts(self, row: dict, frames: int) -> dict[str, np.ndarray]:
        """The ids and labels of both sides of ROW, as 32-bit numbers."""
        prompt = self.tokenizer(prompt_of(
            self.tokenizer, row, "<|audio_bos|>" + "<|AUDIO|>" *
            audio_tokens(frames) + "<|audio_eos|>"))["input_ids"]
        out = {}
        for side in ("chosen", "rejected"):
            answer = self.tokenizer(
                row[side]["value"] + "<|im_end|>\n")["input_ids"]
            out[f"{side}_input_ids"] = np.array(prompt + answer, np.int32)
            out[f"{side}_labels"] = np.array(
                [-100] * len(prompt) + answer, np.int32)
        return out

    def __call__(self, row: dict) -> dict[str, np.ndarray]:
        mel = self.mel(row["audios"][0])
        return {"input_features": mel, **self.texts(row, mel.shape[1])}


class Processor:
    """The model's processor for both sides of a pair."""

    def __init__(self, model: Path):
        self.processor = Qwen2AudioProcessor.from_pretrained(model)
        self.header = self.processor.tokenizer(
            "<|im_start|>assistant\n")["input_ids"]

    def __call__(self, row: dict) -> dict[str, np.ndarray]:
        audio = load(row["audios"][0])
        prompt = prompt_of(self.processor.tokenizer, row,
                           "<|audio_bos|><|AUDIO|><|audio_eos|>")
        sides = ("chosen", "rejected")
        got = self.processor(
            text=[prompt + row[side]["value"] + "<|im_end|>\n"
                  for side in sides],
            audio=[audio, audio], sampling_rate=RATE, padding=True,
            return_tensors="np")
        out = {"input_features": got["input_features"][0]}
        for i, side in enumerate(sides):
            ids = got["input_ids"][i][got["attention_mask"][i] > 0]
            starts = np.flatnonzero(ids == self.header[0])
            labels = ids.copy()
            labels[:starts[-1] + len(self.header)] = -100
            out[f"{side}_input_ids"] = ids.astype(np.int32)
            out[f"{side}_labels"] = labels.astype(np.int32)
        return out
