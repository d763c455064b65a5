#!/usr/bin/env python3
"""make_audio.py [FOLDER]: the sound files of tests/bad/audio, written anew.

Needs numpy and soundfile.  A file's name begins with what audio-check makes
of it: the code of its error or note, or "ok"; "ok-whole" are the formats,
from which tests cut what they like.  Headers that no encoder writes are made
by hand.  The files are in the repository, since encoders change their minds,
and Ogg streams have random numbers.
"""
import struct
import sys
from pathlib import Path

import numpy as np
import soundfile

OUT = Path(sys.argv[1] if len(sys.argv) > 1 else
           Path(__file__).resolve().parent / "audio")
RATE, N = 16000, 800
WHOLE = {
    "wav": ("WAV", "PCM_16"), "24.wav": ("WAV", "PCM_24"),
    "float.wav": ("WAV", "FLOAT"), "ulaw.wav": ("WAV", "ULAW"),
    "ima.wav": ("WAV", "IMA_ADPCM"), "wavex.wav": ("WAVEX", "PCM_16"),
    "rf64": ("RF64", "PCM_16"), "w64": ("W64", "PCM_16"),
    "aiff": ("AIFF", "PCM_16"), "au": ("AU", "PCM_16"),
    "caf": ("CAF", "PCM_16"), "nist": ("NIST", "PCM_16"),
    "voc": ("VOC", "PCM_16"), "svx": ("SVX", "PCM_16"),
    "flac": ("FLAC", "PCM_16"), "ogg": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"), "mp3": ("MP3", "MPEG_LAYER_III"),
}


def tone(n=N, rate=RATE, hz=440.0, level=0.4):
    """A tone in a little noise: nothing that a codec leaves out."""
    noise = np.random.default_rng(n).standard_normal(n)
    return level * np.sin(2 * np.pi * hz * np.arange(n) / rate) + 0.02 * noise


def wav(samples, rate=RATE, channels=1, bits=16, tag=1, data=None, riff=None):
    """A WAV of the bytes SAMPLES, its size fields as told."""
    n = len(samples)
    data = n if data is None else data
    riff = 36 + n if riff is None else riff
    block = channels * bits // 8
    return (b"RIFF" + struct.pack("<I", riff) + b"WAVEfmt " +
            struct.pack("<IHHIIHH", 16, tag, channels, rate,
                        rate * block & 0xffffffff, block & 0xffff, bits) +
            b"data" + struct.pack("<I", data) + samples)


def i16(x):
    return np.clip(np.round(np.asarray(x) * 32768), -32768,
                   32767).astype("<i2").tobytes()


def f32(x):
    return np.asarray(x, "<f4").tobytes()


def put(name, data):
    (OUT / name).write_bytes(data)


def whole():
    """One file of each format, and their bytes by name."""
    made = {}
    for suffix, (container, subtype) in WHOLE.items():
        path = OUT / f"ok-whole.{suffix}"
        soundfile.write(path, tone(), RATE, format=container, subtype=subtype)
        made[suffix] = path.read_bytes()
    return made


def patch(data, at, new):
    return data[:at] + new + data[at + len(new):]


def piped(made):
    """What the same encoders write where they cannot go back."""
    pcm = i16(tone())
    for name, data, riff in (("zero", 0, 0), ("ones", 0xffffffff, 0xffffffff),
                             ("sox", 0x7ffff000, 0x7ffff024),
                             ("header-only", 0, 36)):
        put(f"ok-piped-{name}.wav", wav(pcm, data=data, riff=riff))
    w64 = made["w64"]
    put("ok-piped.w64", patch(patch(w64, 16, b"\xff" * 8),
                              w64.index(b"data") + 16, b"\xff" * 8))
    caf = made["caf"]
    put("ok-piped.caf", patch(caf, caf.index(b"data") + 4, b"\xff" * 8))
    aiff = made["aiff"]
    put("ok-piped.aiff", patch(patch(aiff, 4, bytes(4)),
                               aiff.index(b"SSND") + 4, bytes(4)))
    put("ok-piped.au", patch(made["au"], 8, b"\xff" * 4))
    flac = made["flac"]     # no count of samples, no MD5
    put("ok-piped.flac", patch(flac, 21, bytes([flac[21] & 0xf0]) + bytes(20)))
    # The first frame of an MP3 is its Xing header, of the bytes it says.
    mp3 = made["mp3"]
    put("ok-piped.mp3", mp3[mp3.index(b"\xff\xf3", 4):])


def cut(made):
    """Cut in the header, in the middle, and by the last byte."""
    for suffix, data in made.items():
        for name, n in (("header", 20), ("middle", len(data) // 2),
                        ("end", len(data) - 1)):
            if suffix in ("wav", "flac", "mp3", "ogg", "opus", "aiff"):
                put(f"audio-truncated-{name}.{suffix}", data[:n])


def bad(made):
    pcm = i16(tone())
    put("audio-empty-file.wav", b"")
    put("audio-empty-data.wav", wav(b""))
    put("audio-empty-tags.wav", wav(b"", riff=36 + 12) + b"LIST\4\0\0\0INFO")
    flac = made["flac"]     # a header that announces nothing, and no frames
    put("audio-empty-data.flac", b"fLaC\x80\0\0\x22" + flac[8:21] +
        bytes([flac[21] & 0xf0]) + bytes(20))
    put("audio-format-text.wav", b"This is not audio.\n")
    put("audio-format-page.mp3", b"<!DOCTYPE html><title>404</title>\n")
    put("audio-format-m4a.m4a", struct.pack(">I", 24) + b"ftypM4A " +
        bytes(12) + b"free" + bytes(60))
    put("audio-format-no-channels.wav", wav(pcm, channels=0))
    put("audio-format-many-channels.wav", wav(pcm, channels=2000))
    put("audio-format-rate-0.wav", wav(pcm, rate=0))
    put("audio-format-rate-20MHz.wav", wav(pcm, rate=20000000))
    put("audio-format-no-fmt.wav", b"RIFF" + struct.pack("<I", 20) +
        b"WAVEdata" + struct.pack("<I", 8) + bytes(8))
    # Of 5 GiB, which no four bytes can say, 1,600 bytes are there.
    put("audio-truncated-ds64.rf64", b"RF64\xff\xff\xff\xffWAVEds64" +
        struct.pack("<IQQQI", 28, 5 << 30, 5 << 30, 5 << 29, 0) +
        wav(pcm, data=0xffffffff)[12:])
    put("audio-short-320.wav", wav(pcm[:640]))
    put("audio-short-1.wav", wav(pcm[:2]))
    put("ok-321.wav", wav(pcm[:642]))
    put("ok-1Hz.wav", wav(pcm[:4], rate=1))
    x = tone()
    for name, value in (("nan", np.nan), ("inf", np.inf), ("minus-inf", -np.inf)):
        y = x.copy()
        y[500] = value
        put(f"audio-nonfinite-{name}.wav", wav(f32(y), bits=32, tag=3))
    put("audio-nonfinite-mean.wav",
        wav(f32(np.full(1600, 3e38)), channels=2, bits=32, tag=3))
    put("audio-silent-zeros.wav", wav(i16(np.zeros(N))))
    put("audio-silent-dc.wav", wav(i16(np.full(N, 0.25))))
    put("audio-clipped-square.wav",
        wav(i16(np.sign(np.sin(np.arange(N) * 0.2 + 0.1)))))
    put("audio-clipped-8bit.wav",
        wav(bytes((np.arange(N) // 10 % 2 * 255).astype("u1")), bits=8))
    put("ok-loud-float.wav", wav(f32(x * 0.5), bits=32, tag=3))
    put("audio-long-31s.wav", wav(i16(tone(3100, 100, 20)), rate=100))
    put("ok-six.wav", wav(i16(np.repeat(tone(), 6) *
                              np.tile([1, .5, .25, -.5, .1, .3], N)), channels=6))
    flac = bytearray(made["flac"])
    flac[-300] ^= 0x55
    put("audio-truncated-damaged.flac", bytes(flac))


def main():
    OUT.mkdir(exist_ok=True)
    for old in OUT.iterdir():
        old.unlink()
    made = whole()
    piped(made)
    cut(made)
    bad(made)


if __name__ == "__main__":
    main()
