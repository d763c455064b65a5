#!/usr/bin/env python3
"""export.py SOURCE OUT [--split NAME]: a data set with its audio inside, as
files and JSON Lines.

SOURCE is a .parquet, .json or .jsonl file, or a folder that save_to_disk made.
Columns with Audio, or with {"bytes", "path"} objects, alone or in lists, are
written to OUT/audio; OUT/data.jsonl holds the rows with the paths instead:

    export.py train.parquet out
    jsonl-split out/data.jsonl | dpo-pair | audio-check | ...

Needs the package `datasets'.  Nothing is decoded: the bytes are written as
they lie in the data set.
"""
import argparse
import base64
import json
from pathlib import Path

from datasets import Audio, List, load_dataset, load_from_disk

MAGIC = {b"RIFF": "wav", b"fLaC": "flac", b"OggS": "ogg", b"FORM": "aiff"}


def load(source, split):
    if source.is_dir():
        found = load_from_disk(str(source))
        return found[split] if isinstance(found, dict) else found
    kind = "parquet" if source.suffix == ".parquet" else "json"
    return load_dataset(kind, data_files=str(source), split="train")


def undecoded(data):
    """DATA with every Audio column as its bytes and path."""
    for name, feature in data.features.items():
        if isinstance(feature, Audio):
            data = data.cast_column(name, Audio(decode=False))
        elif isinstance(feature, List) and isinstance(feature.feature, Audio):
            data = data.cast_column(name, List(Audio(decode=False)))
    return data


def is_audio(value):
    return isinstance(value, dict) and set(value) == {"bytes", "path"}


class Writer:
    def __init__(self, out):
        self.out, self.n = out, 0
        (out / "audio").mkdir(parents=True, exist_ok=True)

    def path_of(self, audio):
        """The path, below OUT, of a file that holds AUDIO."""
        data = audio["bytes"]
        if data is None:
            return str(Path(audio["path"]).resolve())
        if isinstance(data, str):  # JSON has no bytes
            data = base64.b64decode(data, validate=True)
        kind = MAGIC.get(data[:4], "mp3")
        name = f"audio/{self.n:08d}.{kind}"
        self.n += 1
        (self.out / name).write_bytes(data)
        return name

    def row(self, row):
        for key, value in row.items():
            if is_audio(value):
                row[key] = [self.path_of(value)]
            elif isinstance(value, list) and value and all(map(is_audio, value)):
                row[key] = [self.path_of(v) for v in value]
        return row


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--split", default="train")
    a = parser.parse_args()
    writer = Writer(a.out)
    with open(a.out / "data.jsonl", "w", encoding="utf-8") as f:
        for row in undecoded(load(a.source, a.split)):
            f.write(json.dumps(writer.row(row), ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
