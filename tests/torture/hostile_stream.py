#!/usr/bin/env python3
"""hostile_stream: zstd and safetensors that say one thing and hold another.

What a frame says is looked at before memory is taken; a lie ends the run with
3 and a message, and never with more memory than the limits allow.
"""
import json
import struct
from pathlib import Path

from hostile_tap import MIB, MODEL, SCALE, below, code, equal, finish, \
    lines, pair, records, repeat, run, test, write

GOOD = lines([pair()])
MAGIC = b"\x28\xb5\x2f\xfd"
LAST = 1 << 17                          # the largest block


def block(kind, size, body, last=False):
    return (last | kind << 1 | size << 3).to_bytes(3, "little") + body


def raw(data, last=False):
    return block(0, len(data), data, last)


def rle(byte, n, last=False):
    """N times BYTE, in four bytes for each 128 KiB."""
    one = block(1, LAST, byte)
    return one * (n // LAST) + block(1, n % LAST, byte, last)


def frame(*blocks, window=0x58, size=None, check=None):
    """A zstd frame: of a WINDOW (byte), or of SIZE bytes if that is not
    None, with CHECK as its checksum."""
    head = (0 if size is None else 0xe0) | (4 if check is not None else 0)
    return MAGIC + bytes([head]) + (
        bytes([window]) if size is None else struct.pack("<Q", size)) + \
        b"".join(blocks) + (b"" if check is None else check)


def split(data, **limits):
    """What jsonl-split makes of the file DATA."""
    write("d.zst", *(data if isinstance(data, list) else [data]))
    return run(["jsonl-split", "-j", "1", "d.zst"], **limits)


@test
def a_bomb_of_json_costs_one_record_and_no_memory():
    told = []
    for middle, gib, want in ((b"x", 10, ["ok", "record-too-long", "ok"]),
                              (b"[", 10, ["ok", "record-too-long", "ok"]),
                              (b"\n", 1 / 16, ["ok", "ok"])):
        bomb = frame(raw(GOOD), rle(middle, int(SCALE * gib * (1 << 30))),
                     raw(b"\n" + GOOD, True))
        done = split(bomb, limit_s=600)
        equal(done.status, 0, done.err)
        equal([code(r) for r in records(done.out)], want)
        below(done, 64)
        told.append((len(bomb), done))
    return f"{10 * SCALE} GiB of {told[0][0]} bytes, " \
        f"{max(d.rss_mib for _, d in told):.0f} MiB, " \
        f"{told[0][1].seconds:.1f} s"


@test
def a_window_that_is_announced_is_not_taken_on_trust():
    for exponent in (18, 20, 21, 31):
        done = split(frame(raw(GOOD, True), window=exponent << 3))
        equal(done.status, 3, done.err)
        below(done, 64)
    done = split(frame(raw(GOOD, True), window=17 << 3))
    equal(done.status, 0, done.err)
    below(done, 400)
    return f"{done.rss_mib:.0f} MiB for 128 MiB announced"


@test
def a_size_that_is_no_frames_size_is_found():
    for size in (0, 1, len(GOOD) - 1, len(GOOD) + 1, 1 << 20, 1 << 40,
                 2 ** 63, 2 ** 64 - 3):
        done = split(frame(raw(GOOD, True), size=size))
        equal(done.status, 3, f"{size}: {done.err}")
        below(done, 256)
    for size in (10, 1 << 20):
        done = split(frame(rle(b"x", 1 << 30), raw(GOOD, True), size=size))
        equal(done.status, 3, done.err)
        below(done, 64)
    done = split(frame(raw(GOOD, True), size=len(GOOD), check=b"\1\2\3\4"))
    equal(done.status, 3, done.err)
    return "11 lies"


@test
def frames_without_end_and_without_content_are_stepped_over():
    for one in (frame(raw(b"", True)), struct.pack("<II", 0x184D2A53, 0),
                struct.pack("<II", 0x184D2A5F, 5) + b"12345"):
        done = split([repeat(one, 1_000_000), frame(raw(GOOD, True))])
        equal(done.status, 0, done.err)
        equal(len(records(done.out)), 1)
        below(done, 64)
    done = split([struct.pack("<II", 0x184D2A53, 0xffffffff), b"abc"])
    equal(done.status, 3, done.err)
    done = split([frame(raw(GOOD, True)), b"\0" * 1000])
    equal(done.status, 3, done.err)
    return "3 kinds, a million of each"


PRIME = (11400714785074694791, 14029467366897019727, 1609587929392839161,
         9650029242287828579, 2870177450012600261)
ALL = 2 ** 64 - 1


def turn(x, r):
    return (x << r | x >> (64 - r)) & ALL


def round_of(acc, lane):
    return turn((acc + lane * PRIME[1]) & ALL, 31) * PRIME[0] & ALL


def xxh64(data):
    """XXH64, seed 0, as its specification has it."""
    v = [(PRIME[0] + PRIME[1]) & ALL, PRIME[1], 0, -PRIME[0] & ALL]
    whole = len(data) // 32 * 32
    for at in range(0, whole, 32):
        for k, lane in enumerate(struct.unpack_from("<4Q", data, at)):
            v[k] = round_of(v[k], lane)
    h = PRIME[4]
    if whole:
        h = sum(turn(x, r) for x, r in zip(v, (1, 7, 12, 18))) & ALL
        for x in v:
            h = ((h ^ round_of(0, x)) * PRIME[0] + PRIME[3]) & ALL
    h = (h + len(data)) & ALL
    at = whole
    while at + 8 <= len(data):
        h ^= round_of(0, struct.unpack_from("<Q", data, at)[0])
        h, at = (turn(h, 27) * PRIME[0] + PRIME[3]) & ALL, at + 8
    if at + 4 <= len(data):
        h ^= struct.unpack_from("<I", data, at)[0] * PRIME[0] & ALL
        h, at = (turn(h, 23) * PRIME[1] + PRIME[2]) & ALL, at + 4
    for byte in data[at:]:
        h = turn(h ^ byte * PRIME[4] & ALL, 11) * PRIME[0] & ALL
    h = (h ^ h >> 33) * PRIME[1] & ALL
    h = (h ^ h >> 29) * PRIME[2] & ALL
    return h ^ h >> 32


def skippable(kind, body):
    return struct.pack("<II", 0x184D2A50 + kind, len(body)) + body


def data_frame(content, size=None):
    """A frame of CONTENT as ours are: its size, raw blocks, its checksum."""
    cut = [content[i:i + LAST] for i in range(0, len(content), LAST)] or [b""]
    return frame(*[raw(b, i == len(cut) - 1) for i, b in enumerate(cut)],
                 size=len(content) if size is None else size,
                 check=struct.pack("<I", xxh64(content) & 0xffffffff))


def prefixed(data, size=None):
    return skippable(0, struct.pack("<I", len(data) if size is None
                                    else size)) + data


BEGIN = skippable(1, b'{"ossicle":1,"program":"dpo-pair","version":"0",'
                  b'"libraries":{},"options":{},"inputs":[],"model":{}}')
LINE = b'{"at":{"file":"d","offset":0,"line":1},"messages":[{"role":"user",' \
    b'"content":"a"}],"chosen":{"role":"assistant","content":"b"},' \
    b'"rejected":{"role":"assistant","content":"c"}}\n'


def stream(*frames, n=1, end=None, begin=BEGIN):
    """A section of data FRAMES, N records in all, with a right end."""
    if end is None:
        end = {"frames": len(frames), "records": n, "errors": 0,
               "rejected": 0, "table": False, "digest": "%016x" % xxh64(
                   begin + b"".join(f[-4:] for f in frames))}
        end = json.dumps(end, separators=(",", ":")).encode()
    return begin + b"".join(map(prefixed, frames)) + skippable(13, end)


READERS = (["dpo-pair"], ["audio-check"], ["melspec"],
           ["tokpack", "-m", str(MODEL)], ["shard-cat", "-o", "joined.zst"])


TURN = []


def by_all(data, status, mib=64, in_turn=False, limit_s=60):
    """Each reader of DATA, through a pipe, and shard-cat of the file; one of
    them, where IN_TURN they are asked."""
    write("s.zst", *(data if isinstance(data, list) else [data]))
    readers = [*READERS, ["shard-cat", "s.zst"],
               ["shard-cat", "--check", "s.zst"]]
    if in_turn and SCALE == 1:
        TURN.append(readers[len(TURN) % len(readers)])
        readers = TURN[-1:]
    for reader in readers:
        argv = [reader[0], "-j", "1", *reader[1:]]
        if reader[0] == "shard-cat":
            argv = reader
        if argv[-1] != "s.zst":
            argv = ["sh", "-c", 'exec "$@" <s.zst', "sh", *argv]
        done = run(argv, limit_s=limit_s)
        equal(done.status, status, f"{reader}: {done.err}")
        below(done, mib)
        if status:
            assert "error: " in done.err, done.err


@test
def the_streams_that_are_made_here_are_good_ones():
    by_all(stream(data_frame(LINE)), 0)
    by_all(stream(data_frame(LINE * 3000), data_frame(LINE), n=3001), 0)


@test
def a_frame_of_a_stream_that_lies_about_its_size_ends_the_run():
    good = stream(data_frame(LINE))
    equal(good.count(struct.pack("<Q", len(LINE))), 1)
    for size in (0, 1, len(LINE) - 1, len(LINE) + 1, 64 * MIB,
                 64 * MIB + 1, 1 << 32, 1 << 40, 2 ** 63, 2 ** 64 - 1):
        by_all(good.replace(struct.pack("<Q", len(LINE)),
                            struct.pack("<Q", size)), 3, mib=256)
    for size in (64 * MIB + 1, 1 << 40, 2 ** 64 - 3):
        by_all(stream(frame(rle(b" ", 1 << 30, True), size=size,
                            check=b"1234")), 3, mib=48)
    for size in (10, 64 * MIB):
        by_all(stream(frame(rle(b" ", 1 << 30, True), size=size,
                            check=b"1234")), 3, mib=256)
    for bad in (frame(rle(b" ", 1 << 30, True), check=b"1234"),
                frame(raw(LINE, True), size=len(LINE)),
                frame(raw(LINE, True), window=31 << 3, check=b"1234")):
        by_all(stream(bad), 3, mib=48)
    return "18 lies to 7 readers"


@test
def a_prefix_that_lies_is_found():
    one = data_frame(LINE)
    for n in (0, 1, len(one) - 1, len(one) + 1, 1 << 31, 2 ** 32 - 1):
        by_all(BEGIN + prefixed(one, n) + stream(one)[
            len(BEGIN) + 12 + len(one):], 3, mib=256)
    for body in (b"", b"\1", b"12345678"):
        by_all(BEGIN + skippable(0, body) + one, 3)


@test
def content_that_is_no_record_of_ours_ends_the_run():
    contents = [b"", b"\n", b"x", b"{}", b"\0" * 100, b" " * MIB, b"[]\n",
                b"1\n", LINE[:-1], LINE + b"\n", LINE + b"{}x\n",
                b"[" * 10_000 + b"\n", b'{"a":' * 600 + b"\n",
                LINE.replace(b'"d"', b'"\xff"'), LINE + b"\xff\n",
                LINE.replace(b'"a"', b'"\\ud800"'), b'{"a":1,"a":2}\n']
    for content in contents:
        done = []
        write("s.zst", stream(data_frame(content), n=content.count(b"\n")))
        for reader in READERS:
            done.append(run(["sh", "-c", 'exec "$@" <s.zst', "sh", *reader]))
        assert all(d.status in (0, 3) for d in done), content[:40]
        for d in done:
            below(d, 64)
        equal({d.status for d in done[:1]} - {0, 3}, set())
    return f"{len(contents)} contents"


@test
def a_skippable_frame_of_any_size_is_stepped_over():
    size = 2 ** 32 - 1 if SCALE > 1 else 2 ** 28
    for kind in (3, 12, 15):
        body = struct.pack("<II", 0x184D2A50 + kind, size)
        by_all([BEGIN, body, repeat(b"\0", size),
                stream(data_frame(LINE))[len(BEGIN):]], 0, in_turn=True,
               limit_s=200)
    return f"3 of {size >> 20} MiB"


@test
def what_must_be_json_is_no_gigabyte():
    size = SCALE << 28
    for kind in (1, 2, 13):
        by_all([b"" if kind == 1 else BEGIN,
                struct.pack("<II", 0x184D2A50 + kind, size),
                repeat(b" ", size)], 3, mib=256, in_turn=True, limit_s=200)
    for kind in (1, 2, 13):
        by_all(BEGIN + skippable(kind, b"[" * 1_000_000) +
               stream(data_frame(LINE))[len(BEGIN):], 3)


@test
def provenance_without_end_takes_no_memory_without_end():
    n = 20_000
    begin = BEGIN * n
    by_all(stream(data_frame(LINE), begin=begin), 0, mib=200)
    return f"{n} frames"


@test
def an_end_that_lies_is_found():
    one = data_frame(LINE)
    right = json.loads(stream(one).rsplit(b"\x18", 1)[1][4:])
    n = 0
    for key in right:
        for lie in ("-1", "0.5", "1e400", "18446744073709551616",
                    "9223372036854775808", '"1"', "null", "[]", "{}",
                    '"' + "0" * 16 + '"', '"' + "f" * 100_000 + '"', "2",
                    "true"):
            # How many -r took out on the way is the writer's word.
            if lie == json.dumps(right[key]) or (key, lie) == (
                    "rejected", "2"):
                continue
            text = "{" + ",".join(
                f'"{k}":{lie if k == key else json.dumps(v)}'
                for k, v in right.items()) + "}"
            by_all(stream(one, end=text.encode()), 3, in_turn=True)
            n += 1
    for key in right:
        text = json.dumps({k: v for k, v in right.items() if k != key})
        by_all(stream(one, end=text.encode()), 3)
    return f"{n + len(right)} lies"


def image(header, data=b"", size=None, pad=True):
    """A safetensors image; HEADER is text, or what becomes it."""
    if not isinstance(header, bytes):
        header = json.dumps(header, separators=(",", ":")).encode()
    if pad:
        header += b" " * (-len(header) % 8)
    return struct.pack("<Q", len(header) if size is None else size) + \
        header + data


def headers():
    """Headers that lie, beside eight bytes of data."""
    meta = {"__metadata__": {"record": LINE[:-1].decode()}}

    def tensor(**change):
        return {**meta, "pcm.0": {"dtype": "I16", "shape": [4],
                                  "data_offsets": [0, 8], **change}}

    for shape in ([], [0], [5], [3], [-4], [4.0], [4, 2 ** 63],
                  [2 ** 32, 2 ** 32], [2 ** 64], [2 ** 63, 2, 0], ["4"],
                  [None], None, "4", {"4": 4}, [1] * 100_000, [[4]], [1e300],
                  [2 ** 62, 4], [0, 2 ** 64 - 1]):
        yield tensor(shape=shape)
    for offsets in ([0, 7], [0, 9], [1, 9], [8, 0], [-1, 7], [0, 2 ** 63],
                    [2 ** 64 - 8, 2 ** 64], [2 ** 63, 2 ** 63 + 8], [0.0, 8],
                    [0], [], [0, 8, 8], None, "08", [0, "8"], [1e400, 8],
                    [4, 12], [2 ** 64, 2 ** 64 + 8]):
        yield tensor(data_offsets=offsets)
    for dtype in ("I17", "", None, 4, "i16", "F64", "I16\0", "BOOL", "x" * 9999,
                  ["I16"]):
        yield tensor(dtype=dtype)
    for gone in ("dtype", "shape", "data_offsets"):
        yield {**meta, "pcm.0": {k: v for k, v in tensor()["pcm.0"].items()
                                 if k != gone}}
    whole = tensor()["pcm.0"]
    half = {"dtype": "I16", "shape": [2], "data_offsets": [0, 4]}
    for bad in ({"pcm.0": whole}, {**meta, "pcm.0": whole, "pcm.1": whole},
                {**meta, "pcm.0": half}, {**meta, "pcm.0": half,
                                          "pcm.1": half},
                {**meta, "pcm.0": half, "pcm.1": {
                    **half, "data_offsets": [5, 9]}},
                {**meta, "pcm.0": [whole]}, {**meta, "pcm.0": 1},
                {"__metadata__": {"record": 1}, "pcm.0": whole},
                {"__metadata__": {}, "pcm.0": whole},
                {"__metadata__": [], "pcm.0": whole},
                {"__metadata__": {"record": "{"}, "pcm.0": whole},
                {"__metadata__": {"record": "[" * 9999}, "pcm.0": whole},
                {"__metadata__": {"record": "[]"}, "pcm.0": whole},
                {"__metadata__": {"record": ""}, "pcm.0": whole},
                [], 1, "x", None, {}):
        yield bad
    text = json.dumps(tensor()).encode()
    for bad in (text[:-1], text + b"x", b"[" * 5000, text.replace(
            b'"I16"', b'"\xff"'), text.replace(b"[4]", b"[04]"),
            text.replace(b'"shape"', b'"dtype"'), b"\0" * 80, b" " * 80,
            text.replace(b"{", b"{\"__metadata__\":{},", 1), b"{" + b",".join(
                b'"t%d":{"dtype":"I16","shape":[0],"data_offsets":[0,0]}' % i
                for i in range(100_000)) + b"}"):
        yield bad


@test
def a_safetensors_header_that_lies_ends_the_run():
    eight = b"\1\2\3\4\5\6\7\0"
    images = [image(h, eight) for h in headers()]
    good = {"__metadata__": {"record": LINE[:-1].decode()}, "pcm.0": {
        "dtype": "I16", "shape": [4], "data_offsets": [0, 8]}}
    for size in (0, 1, 8, 2 ** 24 + 1, 2 ** 31, 2 ** 55):
        images.append(image(good, eight, size=size))
    images += [image(good, eight)[:n] for n in (8, 9, 20, 100, 300)]
    images += [image(good, b""), image(good, eight + b"x"),
               image(good, eight * 2)]
    readers = (["melspec"], ["tokpack", "-m", str(MODEL)],
               ["shard-cat", "-o", "x.zst"])
    told = 0
    for i, bad in enumerate(images):
        write("s.zst", stream(data_frame(bad)))
        for reader in readers if SCALE > 1 else [readers[i % 3]]:
            done = run(["sh", "-c", 'exec "$@" <s.zst', "sh", *reader])
            assert done.status == 3 and "error: " in done.err, \
                (i, reader[0], done.status, bad[:300], done.err)
            below(done, 128)
            told += 1
    write("s.zst", stream(data_frame(image(good, eight))))
    done = run("shard-cat -o x.zst <s.zst")
    equal(done.status, 0, done.err)
    return f"{len(images)} images, {told} runs"


@test
def a_seek_table_that_lies_is_not_used():
    write("d.jsonl", lines([pair(chosen="x" * i) for i in range(1, 200)]))
    done = run("jsonl-split d.jsonl | dpo-pair | shard-cat -o s.zst")
    equal(done.status, 0, done.err)
    shard = Path("s.zst").read_bytes()
    want = run("shard-cat s.zst").out
    at = shard.rindex(struct.pack("<I", 0x184D2A5E))
    n = struct.unpack_from("<I", shard, len(shard) - 9)[0]
    lies = []
    for count in (0, 1, n - 1, n + 1, 2 ** 27, 2 ** 27 + 1, 2 ** 31,
                  2 ** 32 - 1):
        lies.append(shard[:-9] + struct.pack("<I", count) + shard[-5:])
    for entry in range(0, n, max(1, n // 5)):
        for lie in (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\0\0\0\x80"):
            for k in (0, 4):
                place = at + 8 + entry * (len(shard) - 9 - at - 8) // n + k
                place -= (place - at - 8 - k) % 8
                lies.append(shard[:place] + lie + shard[place + 4:])
    told = 0
    for lie in lies:
        if lie == shard:
            continue
        write("x.zst", lie)
        for argv in (["shard-cat", "x.zst"], ["shard-cat", "-n", "0", "x.zst"],
                     ["shard-cat", "-n", "198", "x.zst"],
                     ["shard-cat", "--lengths", "x.zst"],
                     ["shard-cat", "--check", "x.zst"]):
            done = run(argv)
            assert done.status == 3 or done.status == 0 and argv[1][0] == "-" \
                or done.out == want, (argv, done.status, done.err)
            if argv[1] == "-n" and done.status == 0:
                equal(done.out, want.splitlines(True)[int(argv[2])], "wrong")
            if argv[1] == "--check":
                equal(done.status, 3, done.err)
            below(done, 64)
            told += 1
    return f"{told} runs"


finish()
