"""The benchmark's data, made afresh from seeds: nothing is downloaded.

A data set is a folder with data.json, dataset_info.json that LLaMA-Factory
reads (its name there is "bench"), and clips/.  It is made once for each set of
parameters and kept in the benchmark's work folder.
"""
from __future__ import annotations

import bisect
import io
import itertools
import json
import random
import re
import shutil
import subprocess
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
import soxr

# Changes when what is made below does.
EDITION = 2
RATE = 16000
# How a clip is written: rate, channels, ending, soundfile's subtype.
FORMS = {"wav": (RATE, 1, "wav", "PCM_16"),
         "flac": (44100, 2, "flac", "PCM_16"),
         "mp3": (44100, 2, "mp3", "MPEG_LAYER_III")}
INFO = {"bench": {
    "file_name": "data.json", "formatting": "sharegpt", "ranking": True,
    "columns": {"messages": "conversations", "chosen": "chosen",
                "rejected": "rejected", "audios": "audios"}}}


FREQUENT = """the of and to in a is that for it as was with be by on not he his
but at are this have from or had an they which one you were her all she there
would their we him been has when who will more no if out so said what up its
about into than them can only""".split()


class Words:
    """English as far as a tokenizer or a voice cares: frequent words, then a
    vocabulary's own, drawn by Zipf's law, with names, numbers and
    punctuation."""

    def __init__(self, model: Path, seed: int):
        vocabulary = json.loads(
            (model / "tokenizer.json").read_text(encoding="utf-8"))
        ids = vocabulary["model"]["vocab"]
        # Merges are ordered by frequency, and so are the ids that they give.
        # Short ones are mostly the beginnings of others.
        self.words = FREQUENT + [
            word[1:] for word in sorted(ids, key=ids.get)
            if re.fullmatch("\u0120[a-z]{5,12}", word)][:20000]
        self.sums = list(itertools.accumulate(
            1 / (rank + 3) for rank in range(len(self.words))))
        self.random = random.Random(seed)

    def name(self) -> str:
        r = self.random
        return "".join(r.choice("bdfgklmnprstvw") + r.choice("aeiou")
                       for _ in range(r.randint(2, 4))).capitalize()

    def word(self) -> str:
        r = self.random
        x = r.random()
        if x < 0.03:
            return self.name()
        if x < 0.05:
            return str(r.randint(0, 10 ** r.randint(1, 4)))
        return self.words[bisect.bisect(self.sums, r.random() * self.sums[-1],
                                        hi=len(self.words) - 1)]

    def sentence(self, least: int, most: int) -> str:
        r = self.random
        words = [self.word() for _ in range(r.randint(least, most))]
        for i in range(3, len(words) - 1):
            if r.random() < 0.08:
                words[i] += ","
        text = " ".join(words)
        return text[0].upper() + text[1:] + r.choice("....?!")

    def answer(self) -> str:
        return " ".join(self.sentence(6, 20)
                        for _ in range(self.random.randint(1, 5)))


def speak(text: str, words_a_minute: int, pitch: int, voice: str) -> np.ndarray:
    """TEXT by espeak-ng, mono, from -1 to 1, with its rate in the first."""
    made = subprocess.run(
        ["espeak-ng", "--stdout", "-v", voice, "-s", str(words_a_minute), "-p",
         str(pitch), text], capture_output=True, check=True,
        stdin=subprocess.DEVNULL).stdout
    # What goes to a pipe has no true length in its header.
    with wave.open(io.BytesIO(made)) as w:
        rate, at = w.getframerate(), made.index(b"data") + 8
    if rate != 22050:
        raise RuntimeError(f"espeak-ng speaks at {rate} Hz")
    return np.frombuffer(made[at:len(made) // 2 * 2], "<i2") / 32768.0


class Speech:
    """Enough utterances for any number of clips, each cut from elsewhere."""
    COUNT = 200
    RATE = 22050

    def __init__(self, words: Words):
        r = words.random
        self.said = [speak(" ".join(words.sentence(5, 14) for _ in range(3)),
                           r.randint(130, 190), r.randint(20, 80),
                           r.choice(["en", "en+f2", "en+m3", "en-us+f4"]))
                     for _ in range(self.COUNT)]

    def clip(self, seconds: float, seed: int) -> np.ndarray:
        """SECONDS of speech at RATE."""
        r = random.Random(seed)
        n = int(seconds * self.RATE)
        i, got, parts = r.randrange(self.COUNT), 0, []
        while got < n:
            parts.append(self.said[i % self.COUNT])
            got += len(parts[-1])
            i += 1
        whole = np.concatenate(parts)
        at = r.randint(0, len(whole) - n)
        return whole[at:at + n] * r.uniform(0.3, 0.8)


def record(speech: np.ndarray, rate: int, channels: int,
           seed: int) -> np.ndarray:
    """SPEECH as microphones in a room have it: with a noise floor, so that no
    part of it is digitally silent, and channels that differ."""
    rng = np.random.default_rng(seed)
    noise = 10 ** rng.uniform(-4, -2.7)     # -80 to -54 dB of full scale
    x = soxr.resample(speech, Speech.RATE, rate, quality="VHQ")
    out = np.empty((len(x), channels))
    for c in range(channels):
        out[:, c] = np.roll(x, 13 * c) * 0.8 ** c
        out[:, c] += rng.standard_normal(len(x)) * noise
    return np.clip(out, -1, 1 - 2 ** -15)


def pair(words: Words, audio: str) -> dict:
    return {"conversations": [{"from": "human",
                               "value": "<audio>" + words.sentence(6, 20)}],
            "chosen": {"from": "gpt", "value": words.answer()},
            "rejected": {"from": "gpt", "value": words.answer()},
            "audios": [audio]}


class Data:
    def __init__(self, work: Path, model: Path):
        self.work, self.model = work, model

    def kept(self, name: str, make) -> Path:
        """The folder NAME in the work folder, which MAKE fills once."""
        folder = self.work / f"{name}-{EDITION}"
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            make(folder)
            (folder / "complete").touch()
        return folder

    def pairs(self, form: str = "wav", count: int = 500,
              seconds: tuple[float, float] = (3, 15)) -> Path:
        """COUNT pairs with a clip each; FORM is wav (16 kHz, mono), flac or
        mp3 (both 44.1 kHz, stereo).  The clips are the same in each form."""
        def make(folder: Path) -> None:
            rate, channels, ending, subtype = FORMS[form]
            words = Words(self.model, 1)
            speech = Speech(words)
            draw = random.Random(2)
            (folder / "clips").mkdir()
            rows = []
            for i in range(count):
                name = f"clips/{i:05d}.{ending}"
                said = speech.clip(draw.uniform(*seconds), i)
                soundfile.write(folder / name,
                                record(said, rate, channels, i), rate,
                                subtype=subtype)
                rows.append(pair(words, name))
            self.write(folder, rows)

        low, high = seconds
        return self.kept(f"{form}-{count}-{low:g}-{high:g}", make)

    def write(self, folder: Path, rows: list[dict]) -> None:
        (folder / "data.json").write_text(
            json.dumps(rows, indent=1, ensure_ascii=False), encoding="utf-8")
        (folder / "dataset_info.json").write_text(json.dumps(INFO, indent=1))

    def first(self, folder: Path, count: int) -> Path:
        """The JSON file of the first COUNT pairs of the data set in FOLDER,
        which lies beside its own."""
        path = folder / f"first-{count}.json"
        if not path.exists():
            rows = json.loads((folder / "data.json").read_text("utf-8"))
            path.write_text(json.dumps(rows[:count], indent=1,
                                       ensure_ascii=False), encoding="utf-8")
        return path

    def texts(self, seed: int, count: int) -> Iterator[dict]:
        """COUNT pairs without audio, as rows."""
        words = Words(self.model, seed)
        for _ in range(count):
            row = pair(words, "")
            row["conversations"][0]["value"] = words.sentence(6, 20)
            del row["audios"]
            yield row
