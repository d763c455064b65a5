"""Samples of audio-check against librosa's, torchaudio's and FFmpeg's.

WAV and FLAC through soxr are librosa's to the last bit, through sinc within
1e-6 of torchaudio's, and the lengths are always theirs.  For MP3, Vorbis and
Opus the difference from FFmpeg's samples is printed, and bounded.
"""
import io
import subprocess
from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile
import torch
import torchaudio

import streams

RATES = (8000, 11025, 16000, 22050, 24000, 32000, 44100, 48000, 96000, 44101)
CHANNELS = (1, 2, 3, 6, 8, 17)
DEMO = Path(__file__).resolve().parents[2] / "examples" / "demo" / "clips"


def noise(n, channels, seed):
    """Noise with a slope, some of it loud: no two frequencies are alike."""
    x = np.random.default_rng(seed).standard_normal((n, channels))
    x = np.cumsum(x, 0) * 0.01 + 0.1 * x
    x -= x.mean(0)
    return (0.9 * x / np.abs(x).max()).astype(np.float32)


def check(build, *files, options=()):
    """What audio-check makes of FILES: (facts, f32 samples) of each."""
    done = subprocess.run([build / "audio-check", *options, *files],
                          capture_output=True, check=True)
    got = []
    for record, tensors in streams.read(done.stdout):
        assert "error" not in record, record
        pcm = tensors["pcm.0"]
        if pcm.dtype == np.int16:
            pcm = pcm.astype(np.float32) / 32768
        got.append((record["audio"][0], pcm))
    return got


def same_bits(a, b):
    return a.shape == b.shape and np.array_equal(
        a.astype(np.float32).view("u4"), b.astype(np.float32).view("u4"))


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A file of each rate, channel count and kind."""
    folder = tmp_path_factory.mktemp("audio")
    made = []
    for i, rate in enumerate(RATES):
        for k, channels in enumerate(CHANNELS):
            for kind in ("PCM_16.wav", "FLOAT.wav", "PCM_24.flac", "PCM_U8.wav"):
                if kind == "PCM_24.flac" and channels > 8:
                    continue
                path = folder / f"{rate}-{channels}-{kind}"
                soundfile.write(path, noise(rate // 3 + 137 * k + i, channels, i * 10 + k),
                                rate, subtype=kind.split(".")[0])
                made.append(path)
    return made


def test_soxr_is_librosa_to_the_last_bit(build, files):
    paths = files + [p for p in sorted(DEMO.iterdir())
                     if p.suffix in (".wav", ".flac") and p.stem != "cut"]
    samples = 0
    for path, (facts, pcm) in zip(paths, check(build, *paths)):
        want, _ = librosa.load(path, sr=16000)
        assert same_bits(pcm, want), path
        assert facts["samples"] == len(want)
        samples += len(want)
    print(f"{len(paths)} files of WAV and FLAC, {samples} samples: all equal to librosa's")


def torch_load(path):
    """As LLaMA-Factory 0.9.5 does it."""
    audio, rate = torchaudio.load(str(path))
    if audio.shape[0] > 1:
        audio = audio.mean(dim=0, keepdim=True)
    if rate != 16000:
        audio = torchaudio.functional.resample(audio, rate, 16000)
    return audio.squeeze(0).numpy()


def test_sinc_is_torchaudio_within_1e_6(build, files):
    worst = 0.0
    # For 44,101 Hz torchaudio makes a kernel of 2.8 GB: once is enough.
    files = [p for p in files if not p.name.startswith("44101") or "-1-FLOAT" in p.name]
    for path, (facts, pcm) in zip(files, check(build, *files, options=["--resample", "sinc"])):
        want = torch_load(path)
        assert len(pcm) == len(want) == facts["samples"], path
        worst = max(worst, float(np.abs(pcm - want).max()))
    print(f"{len(files)} files, sinc against torchaudio: largest difference {worst:.1e}")
    assert worst < 1e-6


def test_what_is_kept_is_the_beginning(build, files):
    for kind in ("soxr", "sinc"):
        whole = check(build, *files[::7], options=["--resample", kind])
        part = check(build, *files[::7], options=["--resample", kind, "--clip", "0.1"])
        for (_, a), (facts, b) in zip(whole, part):
            assert len(b) == 1600 == facts["samples"] and same_bits(a[:1600], b)


def test_lengths_are_theirs(build, tmp_path):
    rng, paths = np.random.default_rng(4), []
    for rate in (1, 7, 8000, 11025, 22050, 37800, 44100, 48000, 88200, 192000, 999983):
        for n in (rng.integers(1, 40, 3) if rate < 10 else
                  rng.integers(rate // 40 + 1, rate // 4, 6)):
            path = tmp_path / f"{rate}-{n}.wav"
            soundfile.write(path, noise(int(n), 1, 1)[:, 0], rate)
            paths.append(path)
    for kind in ("soxr", "sinc"):
        options = ["--min", "0", "--clip", "1000", "--resample", kind]
        for path, (facts, pcm) in zip(paths, check(build, *paths, options=options)):
            if kind == "sinc" and path.name.startswith("999983"):
                continue        # a kernel of 64 GB there
            x, rate = soundfile.read(path, dtype="float32")
            want = (librosa.resample(x, orig_sr=rate, target_sr=16000) if kind == "soxr" else
                    torchaudio.functional.resample(torch.from_numpy(x), rate, 16000))
            assert len(pcm) == len(want) == facts["samples"], (path.name, kind)


def test_the_numbers_are_those_of_the_samples(build, files):
    for path, (facts, _) in zip(files, check(build, *files)):
        x, rate = soundfile.read(path, dtype="float32", always_2d=True)
        assert (facts["samples_in"], facts["channels"], facts["rate"]) == (*x.shape, rate)
        x = x.astype(np.float64)
        assert facts["peak"] == np.abs(x).max()
        assert facts["rms"] == pytest.approx(np.sqrt((x ** 2).mean()), rel=1e-12)
        assert facts["dc"] == pytest.approx(x.mean(), rel=1e-9, abs=1e-15)
        assert facts["seconds"] == len(x) / rate


def ffmpeg(path):
    """FFmpeg's own samples, before any resampling, mixed down."""
    audio, rate = torchaudio.load(str(path))
    return audio.mean(dim=0).numpy(), rate


LOSSY = {   # encoder's arguments, largest difference of samples
    "mp3 with Xing": (["-c:a", "libmp3lame", "-b:a", "96k"], "mp3", 1e-5),
    "mp3 without Xing": (["-c:a", "libmp3lame", "-b:a", "96k", "-write_xing", "0"], "mp3", 1e-5),
    "vorbis": (["-c:a", "libvorbis", "-q:a", "4"], "ogg", 1e-5),
    "opus": (["-c:a", "libopus", "-b:a", "48k"], "opus", None),
}


@pytest.mark.parametrize("kind", LOSSY)
@pytest.mark.parametrize("rate", [16000, 44100, 48000])
@pytest.mark.parametrize("seconds", [0.06, 3.0])
def test_lossy_formats_differ_from_ffmpeg_as_stated(build, kind, rate, seconds, tmp_path):
    arguments, suffix, bound = LOSSY[kind]
    source, path = tmp_path / "a.wav", tmp_path / f"a.{suffix}"
    soundfile.write(source, noise(int(rate * seconds), 1, 3)[:, 0], rate)
    subprocess.run(["ffmpeg", "-v", "error", "-i", source, *arguments, path], check=True)
    theirs, their_rate = ffmpeg(path)
    ours, our_rate = soundfile.read(path, dtype="float32")
    (facts, pcm), = check(build, path)
    assert (facts["rate"], facts["samples_in"]) == (our_rate, len(ours))
    # soundfile brings libraries of its own, whose Vorbis rounds otherwise.
    want = librosa.load(path, sr=16000)[0]
    assert same_bits(pcm, want) or (kind == "vorbis" and np.abs(pcm - want).max() < 3e-6)
    line = (f"{kind} {rate} Hz {seconds} s: {len(ours)} samples at {our_rate}, "
            f"FFmpeg {len(theirs)} at {their_rate}")
    if our_rate != their_rate:
        theirs = librosa.resample(theirs, orig_sr=their_rate, target_sr=our_rate)
    # The shift at which they agree best, among those that a delay can make.
    shifts = [(np.abs(ours[max(s, 0):][:n] - theirs[max(-s, 0):][:n]).max(), s)
              for s in sorted({0, len(ours) - len(theirs), -1, 1, 528, 529, 1105, -1105})
              for n in [min(len(ours) - max(s, 0), len(theirs) - max(-s, 0))] if n > 100]
    best, shift = min(shifts)
    print(f"{line}; shifted by {shift}, largest difference {best:.1e}")
    if bound is not None:
        assert best <= bound
