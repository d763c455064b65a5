#!/usr/bin/env python3
"""make_stream.py BUILD: write the seeds of the stream and safetensors fuzzers.

Small on purpose: a stream, a shard at two levels, both joined, one with
tensors, one without records, one that is cut.
"""
import json
import struct
import subprocess
import sys
from pathlib import Path

BUILD = Path(sys.argv[1]).resolve()
CORPUS = Path(__file__).resolve().parent / "corpus"


def run(program, *argv, text=b""):
    return subprocess.run([BUILD / program, *argv], input=text, check=True,
                          stdout=subprocess.PIPE).stdout


def image(record, tensors):
    """A safetensors image of (name, dtype, shape, bytes)."""
    header, data = {"__metadata__": {"record": record}}, b""
    for name, dtype, shape, raw in tensors:
        header[name] = {"dtype": dtype, "shape": shape,
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def fragment(folder, content):
    (folder / "content").write_bytes(content)
    frame = subprocess.run(["zstd", "-cq", "--check", folder / "content"],
                           check=True, stdout=subprocess.PIPE).stdout
    (folder / "content").unlink()
    return struct.pack("<III", 0x184D2A50, 4, len(frame)) + frame


def main():
    streams, images = CORPUS / "stream", CORPUS / "safetensors"
    for folder in (streams, images):
        folder.mkdir(parents=True, exist_ok=True)
    lines = b'{"a":1}\n{"a":2,"error":{}}\n{"audio":[{"tokens":3}]}\n'
    (streams / "stream").write_bytes(run("jsonl-split", text=lines))
    run("shard-cat", "--fragment", "-z", "0", "-o", streams / "stored",
        text=fragment(streams, lines))
    run("shard-cat", "--fragment", "-z", "1", "-o", streams / "packed",
        text=fragment(streams, lines * 30))
    (streams / "none").write_bytes(run("jsonl-split"))
    images_of = {
        "ids": image("{}", [("a", "I32", [2], b"12345678")]),
        "all": image('{"x":"\\u00e9"}', [
            ("a", "F32", [1, 2], b"12345678"), ("b", "F16", [2], b"1234"),
            ("c", "BF16", [1, 1], b"12"), ("d", "I16", [0], b"")]),
        "empty": image("{}", []),
        "hole": image("{}", [("a", "I16", [1], b"123")]),
        "huge": image("{}", [("a", "F32", [2**32, 2**31], b"")]),
        "deep": image("[" * 600, [("a", "F64", [1], b"12345678")]),
    }
    for name, body in images_of.items():
        (images / name).write_bytes(body)
    run("shard-cat", "--fragment", "-z", "0", "-o", streams / "tensors",
        text=fragment(streams, images_of["all"]) +
        fragment(streams, lines))
    stored = (streams / "stored").read_bytes()
    (streams / "cut").write_bytes(stored[:-1])
    (streams / "joined").write_bytes(
        (streams / "stream").read_bytes() + stored)
    (streams / "fragment").write_bytes(fragment(streams, lines))


main()
