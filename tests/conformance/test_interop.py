"""Streams and shards are read by other people's libraries, and theirs by us.

pyzstd reads the frames and, by the seek table, any byte of a shard; the
safetensors package reads and writes the records with tensors.
"""
import json
import os
import subprocess

import numpy as np
import pyzstd
import pytest
import streams
from safetensors import safe_open
from safetensors.numpy import load

RNG = np.random.default_rng(20260101)


def record(i):
    """A record with tensors of each type that numpy has, in odd shapes."""
    text = {"number": i, "text": 'é漢😀 "\\\n\t\u2028' * (i % 5),
            "audio": [{"tokens": 3 * i}]}
    tensors = {
        "input_features.0": RNG.standard_normal((128, 1 + i)).astype("f4"),
        "half": RNG.standard_normal((2, i)).astype("f2"),
        "pcm.0": RNG.integers(-32768, 32768, 7 * i + 1).astype("i2"),
        "chosen_input_ids": RNG.integers(0, 151646, 5 + i).astype("i4"),
        "chosen_labels": RNG.integers(-100, 151646, 5 + i).astype("i4"),
        "rejected_input_ids": RNG.integers(0, 9, 2 * i + 1).astype("i4"),
    }
    return text, tensors


@pytest.fixture(scope="module", params=[0, 3])
def shard(request, build, tmp_path_factory):
    """A shard that shard-cat made of records that safetensors wrote."""
    folder = tmp_path_factory.mktemp("shard")
    records = [record(i) for i in range(40)]
    (folder / "part").write_bytes(streams.write(records))
    subprocess.run([build / "shard-cat", "--fragment", "-z",
                    str(request.param), "-o", folder / "shard",
                    folder / "part"], check=True)
    return folder / "shard", records


def same(got, want):
    text, tensors = want
    assert got[0] == text
    assert got[1].keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert got[1][name].dtype == tensor.dtype
        np.testing.assert_array_equal(got[1][name], tensor)


def test_each_frame_is_a_file_to_the_safetensors_package(shard, tmp_path):
    path, records = shard
    images = [body for magic, body in streams.frames(path.read_bytes())
              if magic == 0xFD2FB528]
    assert len(images) == len(records)
    for image, want in zip(images, records):
        (tmp_path / "x.safetensors").write_bytes(image)
        with safe_open(tmp_path / "x.safetensors", "np") as f:
            assert json.loads(f.metadata()["record"]) == want[0]
            assert set(f.keys()) == want[1].keys()
        same((json.loads(json.loads(image[8:8 + int.from_bytes(
            image[:8], "little")])["__metadata__"]["record"]),
              load(bytes(image))), want)


def test_a_whole_shard_is_read_in_order(shard):
    path, records = shard
    got = streams.read(path.read_bytes())
    assert len(got) == len(records)
    for one, want in zip(got, records):
        same(one, want)


def test_the_seekable_reader_reads_any_byte_of_a_shard(shard):
    path, _ = shard
    whole = pyzstd.decompress(path.read_bytes())
    with pyzstd.SeekableZstdFile(path, "r") as f:
        assert f.seek(0, os.SEEK_END) == len(whole)
        for at in RNG.integers(0, len(whole), 200):
            f.seek(int(at))
            assert f.read(1000) == whole[at:at + 1000]
        assert f.seek_table_info[0] > 80, "frames"


def test_a_record_is_two_ranged_reads_away(shard, build):
    """The table in the tail, and a frame: what a reader on the net does."""
    path, records = shard
    with open(path, "rb") as f:
        f.seek(-9, os.SEEK_END)
        n = int.from_bytes(f.read(4), "little")
        f.seek(-9 - 8 * n, os.SEEK_END)
        table = np.frombuffer(f.read(8 * n), "<u4").reshape(n, 2)
        starts = np.concatenate([[0], np.cumsum(table[:, 0], dtype=np.int64)])
        data = np.flatnonzero(table[:, 1])
        assert len(data) == len(records)
        for i in (0, 39, 17):
            f.seek(starts[data[i]])
            image = pyzstd.decompress(f.read(table[data[i], 0]))
            same(streams.read_image(image), records[i])
    line = subprocess.run([build / "shard-cat", "-n", "17", path], check=True,
                          capture_output=True, text=True).stdout
    assert json.loads(line) == records[17][0]


def test_the_lengths_frame_is_what_the_records_say(shard, build):
    path, records = shard
    (body,) = [b for magic, b in streams.frames(path.read_bytes())
               if magic == streams.LENGTHS]
    lengths = json.loads(body)
    assert lengths["records"] == [1] * len(records)
    assert lengths["chosen"] == [
        len(t["chosen_input_ids"]) for _, t in records]
    assert lengths["rejected"] == [
        len(t["rejected_input_ids"]) for _, t in records]
    assert lengths["audio"] == [[a["tokens"] for a in r["audio"]]
                                for r, _ in records]
    out = subprocess.run([build / "shard-cat", "--lengths", path], check=True,
                         capture_output=True, text=True).stdout
    assert out.splitlines() == [
        f"{i}\t{c}\t{r}\t{','.join(map(str, a))}" for i, (c, r, a) in
        enumerate(zip(lengths["chosen"], lengths["rejected"],
                      lengths["audio"]))]
