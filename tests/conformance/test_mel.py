"""melspec's numbers against WhisperFeatureExtractor's, given the same samples.

At least 99.999 % of the cells have the bits of its numpy path.  The torch path
reckons in f32, and is up to 4.5e-5 from the numpy path on speech and music;
noise has a cell now and then that is further, where a band of one bin holds
next to nothing.  What was found is printed: run with -s.
"""
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
import transformers.models.whisper.feature_extraction_whisper as whisper

import streams

ROOT = Path(__file__).resolve().parents[2]
RATE, SECONDS = 16000, 30 * 16000
PATHS = ("generic", "avx2", "avx512")


def speech():
    """The demo's clips of 16 kHz, one after the other."""
    read = (soundfile.read(str(p), dtype="float32") for p in sorted((ROOT / "examples/demo/clips").iterdir()))
    found = [x for x, rate in read if rate == RATE and x.ndim == 1]
    assert found
    return np.concatenate(found)


def music(rng, n):
    """Plucked chords with overtones, vibrato and a drum."""
    t = np.arange(n) / RATE
    y = np.zeros(n)
    for start in np.arange(0, n / RATE, 0.4):
        u = np.clip(t - start, 0, None)
        for f in rng.choice([110, 146.83, 220, 277.18, 329.63, 440, 659.26], 3):
            for k in range(1, 9):
                y += np.sin(2 * np.pi * f * k * u + 3 * np.sin(5 * u)) * np.exp(-4 * k * u / 2) * (u > 0) / k
        y += rng.standard_normal(n) * np.exp(-60 * u) * (u > 0)
    return (0.5 * y / np.abs(y).max()).astype(np.float32)


def clips():
    rng = np.random.default_rng(20)
    said = speech()
    tone = lambda f, n: np.sin(2 * np.pi * f * np.arange(n) / RATE).astype(np.float32)
    return {
        "speech": said[:SECONDS],
        "speech, 30 s and longer": np.tile(said, 10)[:SECONDS + 12345],
        "speech, a second": said[:RATE],
        "speech as i16": np.round(said[:5 * RATE] * 32768).astype(np.int16),
        "music": music(rng, 12 * RATE),
        "noise, 30 s": (0.1 * rng.standard_normal(SECONDS)).astype(np.float32),
        "noise, nearly 30 s": (0.3 * rng.standard_normal(SECONDS - 7)).astype(np.float32),
        "noise, faint": (1e-5 * rng.standard_normal(3 * RATE)).astype(np.float32),
        "noise, too loud": (3 * rng.standard_normal(3 * RATE)).astype(np.float32),
        "noise that fades": (rng.standard_normal(SECONDS) * np.linspace(1, 0, SECONDS) ** 6).astype(np.float32),
        "noise as i16": rng.integers(-32768, 32768, 7 * RATE).astype(np.int16),
        "silence": np.zeros(2 * RATE, np.float32),
        "silence, 30 s": np.zeros(SECONDS, np.float32),
        "a sample": np.ones(1, np.float32),
        "a quiet sample": np.full(1, 1e-4, np.float32),
        "a click in silence": np.eye(1, 3 * RATE, 20001, dtype=np.float32)[0],
        "321 samples": said[2000:2321],
        "square wave": np.where(np.arange(4 * RATE) // 40 % 2, -1, 1).astype(np.float32),
        "square wave as i16": np.where(np.arange(SECONDS) // 77 % 2, -32768, 32767).astype(np.int16),
        "constant": np.full(RATE, 0.5, np.float32),
        "tone": 0.5 * tone(1000, 3 * RATE),
        "tone between bins": tone(1234.5, 3 * RATE),
        "sweep": tone(np.linspace(20, 4000, 10 * RATE), 10 * RATE),
    }


def as_f32(clip):
    return clip.astype(np.float32) / 32768 if clip.dtype == np.int16 else clip


@pytest.fixture(scope="module", params=[128, 80])
def case(request, build, tmp_path_factory):
    """(mels, clips, what the numpy and torch paths make of them, env, argv)"""
    mels = request.param
    made = clips()
    extractor = whisper.WhisperFeatureExtractor(feature_size=mels)

    def extract(with_torch):
        was, whisper.is_torch_available = whisper.is_torch_available, lambda: with_torch
        try:
            return {name: np.asarray(extractor(as_f32(x), sampling_rate=RATE)["input_features"][0])
                    for name, x in made.items()}
        finally:
            whisper.is_torch_available = was

    folder = tmp_path_factory.mktemp("model")
    config = (ROOT / "examples/demo/model/preprocessor_config.json").read_text(encoding="utf-8")
    (folder / "preprocessor_config.json").write_text(
        config.replace('"feature_size": 128', f'"feature_size": {mels}'), encoding="utf-8")
    return mels, made, extract(False), extract(True), [build / "melspec", "--fragment", "-m", folder]


def compute(argv, made, path, *options):
    """{name: (features, pad)} by melspec, or None where it has no such path."""
    stream = streams.write([({"audios": [name], "audio": [{}]}, {"pcm.0": x}) for name, x in made.items()])
    done = subprocess.run([*argv, *options], input=stream, capture_output=True, check=False,
                          env={**os.environ, "OSSICLE_MEL": path})
    if done.returncode == 2 and path != "generic":
        return None
    assert done.returncode == 0, done.stderr.decode()
    return {record["audios"][0]: (tensors["input_features.0"], record["audio"][0]["pad"])
            for record, tensors in streams.read(done.stdout)}


def whole(features, pad):
    """All 3000 columns."""
    full = np.full((len(features), 3000), pad, features.dtype)
    full[:, :features.shape[1]] = features
    return full


@pytest.mark.parametrize("path", PATHS)
def test_cells_have_the_bits_of_the_numpy_path(case, path):
    mels, made, wanted, by_torch, argv = case
    got = compute(argv, made, path)
    if got is None:
        return    # this processor lacks it, and melspec has said so
    cells = unequal = beyond = 0
    worst = worst_torch = 0.0
    for name, x in made.items():
        mel = whole(*got[name])
        assert got[name][0].shape == (mels, min(3000, (min(len(x), SECONDS) + 359) // 160))
        cells += mel.size
        differ = int((mel.view(np.int32) != wanted[name].view(np.int32)).sum())
        unequal += differ
        worst = max(worst, float(np.abs(mel - wanted[name]).max()))
        far = np.abs(mel - by_torch[name])
        assert far.max() <= np.abs(wanted[name] - by_torch[name]).max() + 1e-6
        assert far.max() <= 5e-5 or "noise" in name
        beyond += int((far > 5e-5).sum())
        worst_torch = max(worst_torch, float(far.max()))
        print(f"{path} {mels} {name}: {differ} of {mel.size} cells differ from numpy's; "
              f"torch's are within {far.max():.2g}")
    print(f"{path} {mels}: {unequal} of {cells} cells differ, by {worst:.2g} at most; "
          f"{beyond} are further than 5e-5 from torch's, {worst_torch:.2g} at most")
    assert unequal <= cells / 100000
    assert worst < 1e-6
    assert beyond <= cells / 1000000


@pytest.mark.parametrize("path", PATHS)
def test_f16_and_bf16_are_the_cast_f32(case, path):
    _, made, _, _, argv = case
    f32 = compute(argv, made, path)
    if f32 is None:
        return
    f16, bf16 = (compute(argv, made, path, "--type", t) for t in ("f16", "bf16"))
    for name, (mel, pad) in f32.items():
        assert np.array_equal(f16[name][0], mel.astype(np.float16))
        assert f16[name][1] == float(np.float16(pad))
        cast = torch.from_numpy(mel.copy()).to(torch.bfloat16)
        assert np.array_equal(bf16[name][0], cast.view(torch.uint16).numpy())
        assert bf16[name][1] == float(torch.tensor(pad).to(torch.bfloat16))


def test_paths_agree_on_every_bit(case):
    _, made, _, _, argv = case
    first = compute(argv, made, "generic")
    for path in PATHS[1:]:
        other = compute(argv, made, path)
        for name in other or ():
            assert other[name][1] == first[name][1]
            assert np.array_equal(other[name][0].view(np.int32), first[name][0].view(np.int32))
