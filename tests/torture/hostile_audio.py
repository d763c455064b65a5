#!/usr/bin/env python3
"""hostile_audio: sound files whose headers lie, and which are more than they
seem.  Each is judged, in bounded time and memory, and costs no other."""
import random
import struct
from pathlib import Path

from hostile_tap import AUDIO, SCALE, below, code, equal, finish, records, \
    run, test, write

WHOLE = sorted(AUDIO.glob("ok-whole.*"))
GOOD = AUDIO / "ok-321.wav"
INF, NAN = float("inf"), float("nan")
TONE = struct.pack("<2000h", *[(i * 7919) % 20000 - 10000
                               for i in range(2000)])


def judge(files, *options, limit_s=300, mib=300, j=1):
    """The code of each of FILES, {name: bytes or pieces}, which lie between
    good ones."""
    names = []
    for name, data in files.items():
        names.append(name)
        if data is not None:
            write(name, *(data if isinstance(data, list) else [data]))
    done = run(["audio-check", "-q", "-j", str(j), "--no-pcm", *options,
                GOOD, *names, GOOD], limit_s=limit_s)
    equal(done.status, 0, done.err)
    got = records(done.out)
    equal((code(got[0]), code(got[-1]), len(got)),
          ("ok", "ok", len(names) + 2))
    below(done, mib)
    for name in files:
        Path(name).unlink()
    return {n: code(r) for n, r in zip(names, got[1:-1])}, done


def expect(files, *options, **limits):
    """FILES is {name: (bytes, code or codes)}."""
    got, done = judge({n: f[0] for n, f in files.items()}, *options, **limits)
    wrong = [f"{name}: {got[name]}, not {want}" for name, (_, want) in
             files.items() if got[name] not in want.split()]
    assert not wrong, "; ".join(wrong)
    return done


def wav(data=TONE, rate=16000, channels=1, bits=16, tag=1, size=None,
        block=None, fmt=16, more=b"", before=b"", riff=None):
    block = channels * bits // 8 if block is None else block
    form = struct.pack("<HHIIHH", tag, channels, rate,
                       rate * block & 0xffffffff, block & 0xffff, bits) + more
    body = b"WAVE" + before + b"fmt " + struct.pack("<I", fmt) + form + \
        b"data" + struct.pack("<I", len(data) if size is None else size) + \
        data
    return b"RIFF" + struct.pack(
        "<I", len(body) if riff is None else riff) + body


@test
def a_wav_whose_fields_lie_is_told_from_one_that_is_only_odd():
    refused = "audio-format audio-truncated audio-empty audio-short"
    most = b"\x80\0" * (1024 * 321)
    files = {
        "0ch": (wav(channels=0), "audio-format"),
        "1024ch": (wav(most, channels=1024), "ok"),
        "1025ch": (wav(channels=1025), "audio-format"),
        "65535ch": (wav(channels=65535), "audio-format"),
        "0hz": (wav(rate=0), "audio-format"),
        "1hz": (wav(rate=1), "ok"),
        "10mhz": (wav(TONE * 300, rate=10_000_000), "ok"),
        "10mhz1": (wav(rate=10_000_001), "audio-format"),
        "2ghz": (wav(rate=0x7fffffff), "audio-format"),
        "minus1hz": (wav(rate=0xffffffff), "audio-format"),
        "0bit": (wav(bits=0), refused),
        "7bit": (wav(bits=7), refused + " ok"),
        "33bit": (wav(bits=33), refused),
        "65535bit": (wav(bits=65535), refused),
        "block0": (wav(block=0), refused + " ok"),
        "block1": (wav(block=1), refused + " ok"),
        "block65535": (wav(block=65535), refused + " ok"),
        "tag0": (wav(tag=0), "audio-format"),
        "tagfffe": (wav(tag=0xfffe), "audio-format"),
        "tagffff": (wav(tag=0xffff), "audio-format"),
        "fmt0": (wav(fmt=0), refused),
        "fmt14": (wav(fmt=14), refused + " ok"),
        "fmt4g": (wav(fmt=0xfffffff0), refused),
        "data+1": (wav(size=len(TONE) + 1), "audio-truncated"),
        "data2g": (wav(size=0x70000000), "audio-truncated"),
        "data-odd": (wav(size=3999), "ok"),
        "nofmt": (wav().replace(b"fmt ", b"fmx "), "audio-format"),
        "nodata": (wav().replace(b"data", b"dara"), refused),
        "twofmt": (wav(before=b"fmt \x10\0\0\0" + wav(channels=2)[20:36]),
                   refused + " ok"),
        "twodata": (wav() + b"data\0\x10\0\0" + TONE + TONE[:96],
                    "ok audio-format"),
        "fact": (wav(before=b"fact\4\0\0\0\xff\xff\xff\xff"), "ok"),
        "list": (wav(before=b"LIST\xff\xff\xff\x7fINFO"), refused),
        "zeros": (wav(before=b"JUNK\0\0\0\0" * 100_000), "ok audio-format"),
        "adpcm": (wav(tag=17, bits=4, block=0, fmt=20, more=b"\2\0\0\0"),
                  refused),
        "adpcm65535": (wav(tag=2, bits=4, block=0xffff, fmt=50,
                           more=b"\x20\0\xff\xff\xff\xff" + bytes(28)),
                       refused + " audio-decoder"),
        "gsm": (wav(tag=49, bits=0, block=1, fmt=20, more=b"\2\0\0\0"),
                refused),
    }
    expect(files)
    return f"{len(files)} files"


def rf64(samples, data, riff):
    return b"RF64\xff\xff\xff\xffWAVEds64" + struct.pack(
        "<IQQQI", 28, riff, data, samples, 0) + wav(size=0xffffffff)[12:]


def w64(riff, data):
    whole = (AUDIO / "ok-whole.w64").read_bytes()
    at = whole.index(b"data") + 16
    return whole[:16] + struct.pack("<Q", riff) + whole[24:at] + \
        struct.pack("<Q", data) + whole[at + 8:]


@test
def counts_of_2_to_the_63_are_lies_in_rf64_w64_and_caf():
    caf = (AUDIO / "ok-whole.caf").read_bytes()
    caf_at = caf.index(b"data") + 4
    files = {}
    for i, n in enumerate((0, 1, 2 ** 31, 2 ** 32, 2 ** 62, 2 ** 63 - 1,
                           2 ** 63, 2 ** 64 - 25, 2 ** 64 - 2, 2 ** 64 - 1)):
        told = "audio-truncated audio-empty audio-format audio-short ok"
        lies = told
        if 2 ** 31 <= n < 2 ** 63 - 1:
            lies = "audio-truncated audio-format"
        files[f"{i}.samples.rf64"] = (rf64(n, len(TONE), 4000), "ok")
        files[f"{i}.data.rf64"] = (rf64(2000, n, 4000), lies)
        files[f"{i}.all.rf64"] = (rf64(n, n, n), lies)
        files[f"{i}.data.w64"] = (w64(1704, n), lies)
        files[f"{i}.riff.w64"] = (w64(n, 1624), told + " audio-decoder")
        files[f"{i}.caf"] = (caf[:caf_at] + struct.pack(">Q", n) +
                             caf[caf_at + 8:], lies)
    expect(files)
    return f"{len(files)} files"


def extended(x):
    """X as AIFF's rate of 80 bits, X a number or the bytes themselves."""
    if isinstance(x, bytes):
        return x
    exponent = 16383 + 63
    while x < 1 << 63:
        x, exponent = x * 2, exponent - 1
    return struct.pack(">HQ", exponent, x)


@test
def rates_and_channels_that_lie_in_aiff_and_caf_are_told():
    aiff = (AUDIO / "ok-whole.aiff").read_bytes()
    comm = aiff.index(b"COMM") + 8
    caf = (AUDIO / "ok-whole.caf").read_bytes()
    desc = caf.index(b"desc") + 12
    told = "audio-format audio-truncated audio-empty audio-short"
    files = {}
    for i, (rate, want) in enumerate((
            (1, "ok"), (10_000_000, "ok audio-short"),
            (10_000_001, "audio-format"), (1 << 62, "audio-format"),
            (bytes(10), "ok"),      # which is 1 Hz to libsndfile
            (b"\x7f\xff" + bytes(8), "audio-format"),
            (b"\x7f\xff\x80" + bytes(7), "audio-format"),
            (b"\x7f\xff\xc0" + bytes(7), "audio-format"),
            (b"\xff" * 10, "audio-format"), (b"\xc0\x0c\xfa" + bytes(7),
                                            "audio-format ok"))):
        files[f"{i}.rate.aiff"] = (aiff[:comm + 8] + extended(rate) +
                                   aiff[comm + 18:], want)
    for i, rate in enumerate((0.0, -1.0, 0.5, 1e300, 10_000_001.0, INF, -INF,
                              NAN)):
        files[f"{i}.rate.caf"] = (caf[:desc] + struct.pack(">d", rate) +
                                  caf[desc + 8:], "audio-format")
    for i, n in enumerate((0, 1025, 32767, 32768, 65535)):
        files[f"{i}.channels.aiff"] = (aiff[:comm] + struct.pack(">H", n) +
                                       aiff[comm + 2:], told)
    for i, n in enumerate((1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1)):
        files[f"{i}.frames.aiff"] = (aiff[:comm + 2] + struct.pack(">I", n) +
                                     aiff[comm + 6:], told + " ok")
        files[f"{i}.offset.aiff"] = (
            aiff[:aiff.index(b"SSND") + 8] + struct.pack(">I", n) +
            aiff[aiff.index(b"SSND") + 12:], told + " ok")
    for at in (8, 12, 16, 20, 24, 28):
        for i, n in enumerate((0, 1025, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1)):
            files[f"{at}.{i}.caf"] = (
                caf[:desc + at] + struct.pack(">I", n) +
                caf[desc + at + 4:], told + " ok")
    expect(files)
    return f"{len(files)} files"


def every_lie(data, header):
    """DATA with each number in its HEADER bytes made extreme in turn."""
    for at in range(min(header, len(data) - 8)):
        for lie in (b"\0", b"\xff", b"\x7f", b"\x80", b"\0" * 4,
                    b"\xff" * 4, b"\xff\xff\xff\x7f", b"\0\0\0\x80",
                    b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"\xff" * 8):
            if data[at:at + len(lie)] != lie:
                yield data[:at] + lie + data[at + len(lie):]


@test
def every_field_of_every_format_may_be_any_number():
    judged, decoder, slowest, most = 0, 0, 0, 0
    for path in WHOLE:
        data = path.read_bytes()
        lies = list(every_lie(data, 120))
        if SCALE == 1:
            lies = random.Random(len(data)).sample(lies, 250)
        got, done = judge({f"{i}{path.suffix}": lie for i, lie in
                           enumerate(lies)}, j=2, mib=1200)
        bad = set(got.values()) - {
            "ok", "audio-format", "audio-truncated", "audio-empty",
            "audio-short", "audio-nonfinite", "audio-decoder"}
        assert not bad, (path, bad)
        judged += len(got)
        decoder += list(got.values()).count("audio-decoder")
        slowest = max(slowest, done.seconds)
        most = max(most, done.rss_mib)
    return f"{judged} files, {decoder} lost a decoder, {most:.0f} MiB"


def crc(data, bits, poly):
    top, mask, v = 1 << (bits - 1), (1 << bits) - 1, 0
    for byte in data:
        v ^= byte << (bits - 8)
        for _ in range(8):
            v = (v << 1 ^ poly if v & top else v << 1) & mask
    return v


def flac(frames, channels=8, rate=48000, announced=0, block=65535):
    """A FLAC of FRAMES blocks, in each channel of which every sample is the
    same: 65,535 samples in five bytes."""
    rate_bits = {48000: 10, 16000: 5, 96000: 11}.get(rate, 0)
    info = struct.pack(">HH", 16, block) + bytes(6) + (
        rate << 44 | (channels - 1) << 41 | 15 << 36 |
        announced).to_bytes(8, "big") + bytes(16)
    yield b"fLaC\x80\0\0\x22" + info
    for i in range(frames):
        number = bytes([i]) if i < 128 else chr(i).encode(
            "utf-8", "surrogatepass")
        head = b"\xff\xf8" + bytes([7 << 4 | rate_bits,
                                    (channels - 1) << 4 | 4 << 1]) + \
            number + struct.pack(">H", block - 1)
        head += bytes([crc(head, 8, 7)])
        head += b"".join(b"\0" + struct.pack(">h", 1000 * c + i % 7)
                         for c in range(channels))
        yield head + struct.pack(">H", crc(head, 16, 0x8005))


@test
def a_flac_that_decodes_to_gigabytes_is_measured_in_bounded_memory():
    frames = 1000 * SCALE
    pieces = list(flac(frames))
    size = sum(map(len, pieces))
    got, done = judge({"bomb.flac": b"".join(pieces)}, limit_s=800, mib=100)
    equal(got, {"bomb.flac": "ok"})
    return f"{size} bytes, {frames * 65535 * 32 / 1e9:.1f} GB, " \
        f"{done.rss_mib:.0f} MiB, {done.seconds:.1f} s"


@test
def max_ends_a_bomb_early_and_seconds_without_end_are_only_a_number():
    bomb = b"".join(flac(300 * SCALE))
    expect({"long.flac": (bomb, "audio-long")}, "--max", "60", mib=100)
    # Three days at one sample a second; the first 30 s are kept.
    slow = b"".join(flac(4, channels=1, rate=1))
    write("slow.flac", slow)
    done = run(["audio-check", "-q", "slow.flac"])
    got = records(done.out)[0]
    equal((got["audio"][0]["samples_in"], got["audio"][0]["samples"]),
          (4 * 65535, 480000))
    below(done, 200)


@test
def a_flac_that_lies_about_its_length_rate_or_blocks_is_told():
    whole = b"".join(flac(2, channels=1))
    expect({
        "more.flac": (b"".join(flac(2, 1, announced=(1 << 36) - 1)),
                      "audio-truncated"),
        "one-more.flac": (b"".join(flac(2, 1, announced=2 * 65535 + 1)),
                          "audio-truncated"),
        "fewer.flac": (b"".join(flac(2, 1, announced=1)), "ok audio-short"),
        "0hz.flac": (whole[:18] + bytes([0, 0, whole[20] & 15]) + whole[21:],
                     "audio-format ok"),
        "block.flac": (whole[:8] + b"\xff\xff\0\x10" + whole[12:],
                       "audio-format ok"),
        "block0.flac": (whole[:8] + bytes(4) + whole[12:],
                        "audio-format ok"),
        "no-frames.flac": (whole[:42], "audio-empty audio-truncated"),
        "meta.flac": (b"fLaC" + b"\4\0\0\0" * 100_000 + whole[4:],
                      "ok audio-format"),
        "meta16m.flac": (b"fLaC\4\xff\xff\xff" + whole[4:],
                         "audio-truncated"),
        "id3.flac": (b"ID3\4\0\0\x7f\x7f\x7f\x7f" + whole,
                     "audio-truncated audio-format"),
        "headers.flac": (whole + whole[42:57] * 4300,
                         "ok audio-truncated audio-format"),
    }, mib=200)


def ogg_crc(page):
    v = 0
    for byte in page:
        v ^= byte << 24
        for _ in range(8):
            v = (v << 1 ^ 0x04c11db7 if v & 0x80000000 else v << 1) & \
                0xffffffff
    return v


def pages(data):
    """The pages of an Ogg file."""
    at = 0
    while at < len(data):
        n = data[at + 26]
        size = 27 + n + sum(data[at + 27:at + 27 + n])
        yield bytearray(data[at:at + size])
        at += size


def ogg(data, change):
    """DATA, an Ogg file, whose pages CHANGE has had a hand on, their sums
    right again."""
    out = b""
    for i, page in enumerate(pages(data)):
        change(i, page)
        page[22:26] = bytes(4)
        page[22:26] = struct.pack("<I", ogg_crc(page))
        out += page
    return out


@test
def an_ogg_that_lies_with_right_sums_is_told_or_read():
    def put(number, at, data):
        def change(i, page):
            if i == number or number is None:
                page[at:at + len(data)] = data
        return change

    files = {}
    told = "ok audio-format audio-truncated audio-empty audio-short " \
        "audio-decoder audio-nonfinite"
    for suffix, fields in (
            ("ogg", (28 + 7, 28 + 11, 28 + 12, 28 + 16, 28 + 20, 28 + 28)),
            ("opus", (28 + 8, 28 + 9, 28 + 10, 28 + 12, 28 + 16, 28 + 18))):
        whole = (AUDIO / f"ok-whole.{suffix}").read_bytes()
        equal(ogg(whole, lambda i, page: None), whole)
        n = len(list(pages(whole)))
        for k, granule in enumerate((0, 1, -1, -2, 2 ** 63 - 1, -2 ** 63,
                                     2 ** 40)):
            for page in (None, n - 1):
                files[f"g{k}{page}.{suffix}"] = (
                    ogg(whole, put(page, 6, struct.pack("<q", granule))),
                    told)
        for at in fields:
            for k, lie in enumerate((b"\0", b"\xff", b"\0\0\0\0",
                                     b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f",
                                     b"\x81\x96\x98\0")):
                files[f"f{at}.{k}.{suffix}"] = (
                    ogg(whole, put(0, at, lie)), told)
        files[f"serial.{suffix}"] = (ogg(whole, put(1, 14, b"\1\2\3\4")),
                                     told)
        files[f"double.{suffix}"] = (whole * 2, told)
        files[f"last.{suffix}"] = (ogg(whole, put(None, 5, b"\4")), told)
        files[f"first.{suffix}"] = (ogg(whole, put(None, 5, b"\2")),
                                    "audio-truncated")
        files[f"streams.{suffix}"] = (b"".join(
            ogg(whole, put(None, 14, struct.pack("<I", s)))
            for s in range(40)), told)
    expect(files, mib=1200)
    return f"{len(files)} files"


@test
def an_mp3_that_lies_in_its_tags_is_told_or_read():
    whole = (AUDIO / "ok-whole.mp3").read_bytes()
    xing = whole.index(b"Xing") if b"Xing" in whole else whole.index(b"Info")
    told = "ok audio-format audio-truncated audio-empty audio-short " \
        "audio-decoder"
    files = {"id3.mp3": (b"ID3\4\0\0\x7f\x7f\x7f\x7f" + whole,
                         "audio-truncated audio-format"),
             "id3s.mp3": (b"ID3\4\0\0\0\0\0\0" * 50_000 + whole, told),
             "pad.mp3": (bytes(1 << 20) + whole, told),
             "syncs.mp3": (whole[:4] + b"\xff\xfb\x92" * 300_000, told),
             "free.mp3": (b"\xff\xfb\0\0" * 100_000, told),
             "twice.mp3": (whole + whole, told)}
    for at in range(xing + 4, xing + 16, 4):
        for k, n in enumerate((0, 1, 2 ** 31, 2 ** 32 - 1)):
            files[f"{at}.{k}.mp3"] = (
                whole[:at] + struct.pack(">I", n) + whole[at + 4:], told)
    for k, n in enumerate((b"\0\0\0", b"\xff\xff\xff", b"\xff\xf0\0")):
        at = xing + 120 + 21      # the delay and padding of the LAME tag
        files[f"delay{k}.mp3"] = (whole[:at] + n + whole[at + 3:], told)
    expect(files, mib=1200)
    return f"{len(files)} files"


def doubles(values):
    return struct.pack(f"<{len(values)}d", *values)


def floats(values):
    return struct.pack(f"<{len(values)}f", *values)


@test
def what_is_no_number_is_found_wherever_it_stands():
    files = {}
    for k, bad in enumerate((NAN, -NAN, INF, -INF)):
        for at in (0, 1, 1000, 3999, 4000 - 7):
            for channels in (1, 2, 8):
                x = [0.25 - i % 9 / 20 for i in range(4000)]
                x[at] = bad
                files[f"{k}.{at}.{channels}.f32.wav"] = (
                    wav(floats(x), bits=32, tag=3, channels=channels),
                    "audio-nonfinite")
                files[f"{k}.{at}.{channels}.f64.wav"] = (
                    wav(doubles(x), bits=64, tag=3, channels=channels),
                    "audio-nonfinite")
    small = [5e-324, 1e-310, 1e-45, -0.0] * 500
    files["huge.f64.wav"] = (wav(doubles([1e300, -1e300] * 1000), bits=64,
                                 tag=3), "audio-nonfinite")
    files["most.f32.wav"] = (wav(floats([3e38, -3e38] * 1000), bits=32,
                                 tag=3), "audio-nonfinite")
    files["small.f64.wav"] = (wav(doubles(small), bits=64, tag=3), "ok")
    files["large.f32.wav"] = (wav(floats([1e30, -1e30] * 1000), bits=32,
                                  tag=3, rate=44100), "ok")
    expect(files)
    return f"{len(files)} files"


@test
def the_rates_at_the_ends_and_those_without_a_divisor_are_resampled():
    # No divisor in common with 16,000 makes torchaudio's kernel largest.
    rates = (1, 2, 3, 7, 100, 7919, 15991, 15999, 16001, 44101, 99991,
             655351, 999983, 9999991, 10_000_000)
    took = []
    for how in ("soxr", "sinc"):
        for rate in rates:
            write("a.wav", wav(TONE * 20, rate=rate))
            done = run(["audio-check", "-q", "-j", "1", "--min", "0",
                        "--resample", how, "--clip", "1", "a.wav"],
                       limit_s=60)
            equal(done.status, 0, done.err)
            got = records(done.out)[0]
            equal(code(got), "ok", f"{rate} Hz, {how}")
            equal(got["audio"][0]["samples"],
                  min(16000, -(-40000 * 16000 // rate)), f"{rate} Hz")
            below(done, 1200)
            took.append((done.seconds, done.rss_mib))
    return f"{len(took)} runs, {max(took)[0]:.1f} s and " \
        f"{max(m for _, m in took):.0f} MiB at most"


@test
def a_hole_that_is_long_is_silence_in_bounded_memory():
    size = SCALE << 28
    with open("hole.w64", "wb") as f:
        head = w64(size, size)
        f.write(head[:head.index(b"data") + 24])
        f.truncate(size + head.index(b"data"))
    got, done = judge({"hole.w64": None}, limit_s=600, mib=100)
    equal(got, {"hole.w64": "ok"})
    return f"{size >> 20} MiB, {done.rss_mib:.0f} MiB, {done.seconds:.1f} s"


@test
def what_is_no_sound_at_all_is_told():
    rng = random.Random(5)
    files = {f"{i}.wav": (rng.randbytes(rng.choice((1, 4, 12, 100, 5000))),
                          "audio-format audio-truncated audio-short "
                          "audio-empty ok audio-decoder")
             for i in range(300 * SCALE)}
    for i, magic in enumerate((b"RIFF", b"fLaC", b"OggS", b"FORM", b"caff",
                               b".snd", b"NIST_1A", b"Creative Voice File",
                               b"RF64", b"riff\x2e\x91\xcf\x11", b"ID3",
                               b"\xff\xfb\x90", b"RIFX", b"2BIT", b"PVF1\n",
                               b"MATLAB 5.0", b"Extended Instrument:",
                               b" paf", b"\x64\xa3\1\0")):
        for n in (0, 1, 8, 100, 5000):
            files[f"m{i}.{n}.wav"] = (
                magic + rng.randbytes(n), "audio-format audio-truncated "
                "audio-empty audio-short audio-decoder ok")
            files[f"z{i}.{n}.wav"] = (magic + bytes(n), files[
                f"m{i}.{n}.wav"][1])
    expect(files, mib=1200)
    return f"{len(files)} files"


finish()
