"""Ossicle streams, read and written with nothing of ossicle's own.

A stream is zstd frames behind length prefixes (ossicle(5)); this reads them
with pyzstd and safetensors, so that what the programs write is checked by
other people's code.
"""
import json
import struct

import numpy as np
import pyzstd
from safetensors.numpy import load, save

PREFIX, PROVENANCE, LENGTHS, END, TABLE = (
    0x184D2A50, 0x184D2A51, 0x184D2A52, 0x184D2A5D, 0x184D2A5E)


def frames(data):
    """(magic, body) of each frame; the body of a data frame is its content."""
    at, size = 0, None
    while at < len(data):
        (magic,) = struct.unpack_from("<I", data, at)
        if magic == 0xFD2FB528:
            assert size is not None, "a data frame without its prefix"
            yield magic, pyzstd.decompress(data[at:at + size])
            at, size = at + size, None
        else:
            assert 0x184D2A50 <= magic <= 0x184D2A5F
            (n,) = struct.unpack_from("<I", data, at + 4)
            body = data[at + 8:at + 8 + n]
            if magic == PREFIX:
                (size,) = struct.unpack("<I", body)
            yield magic, body
            at += 8 + n


def read(data):
    """[(record, {name: array})] of a whole stream."""
    out, ended = [], False
    for magic, body in frames(data):
        if magic == 0xFD2FB528:
            if len(body) > 7 and body[7] == 0:
                out.append(read_image(body))
            else:
                out += [(json.loads(x), {}) for x in body.splitlines()]
        ended = magic == END or (ended and magic == TABLE)
    assert ended, "no end marker"
    return out


def read_image(body):
    """One safetensors image: its record and tensors (bf16 as uint16)."""
    (n,) = struct.unpack_from("<Q", body, 0)
    header = json.loads(body[8:8 + n])
    record = json.loads(header.pop("__metadata__")["record"])
    if any(t["dtype"] == "BF16" for t in header.values()):
        tensors = {
            k: np.frombuffer(body, {"BF16": "<u2", "I32": "<i4", "F32": "<f4"}[t["dtype"]],
                             offset=8 + n + t["data_offsets"][0],
                             count=int(np.prod(t["shape"]))).reshape(t["shape"])
            for k, t in header.items()}
    else:
        tensors = load(bytes(body))
    return record, tensors


def write(records):
    """A stream of [(record, {name: array})], for a program read --fragment."""
    out = b""
    for record, tensors in records:
        text = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
        body = save(tensors, {"record": text}) if tensors else text.encode() + b"\n"
        frame = pyzstd.compress(body, {
            pyzstd.CParameter.compressionLevel: 1, pyzstd.CParameter.checksumFlag: 1,
            pyzstd.CParameter.contentSizeFlag: 1})
        out += struct.pack("<III", PREFIX, 4, len(frame)) + frame
    return out
