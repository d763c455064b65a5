"""Ids of random texts, against the tokenizer that LLaMA-Factory loads.

OSSICLE_STRINGS says how many texts (1,000,000); OSSICLE_SEED, which.
"""
import array
import json
import os
import shutil
import struct
import subprocess
import threading
import unicodedata

import pytest

from texts import Maker, Vocabulary

STRINGS = int(os.environ.get("OSSICLE_STRINGS", 1_000_000))
SEED = int(os.environ.get("OSSICLE_SEED", 1))
BATCH = 20_000


def load(model):
    """What load_tokenizer and the template make of a directory."""
    from llamafactory.data.template import TEMPLATES
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model, use_fast=True, split_special_tokens=False, padding_side="right")
    TEMPLATES["qwen2_audio"].fix_special_tokens(tokenizer)
    return tokenizer


@pytest.fixture(scope="module")
def tokenizer(model_dir):
    return load(model_dir)


class Ours:
    """bpe_ids, asked one batch after another."""

    def __init__(self, build, model):
        self.process = subprocess.Popen([build / "conformance" / "bpe_ids", model], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)

    def start(self, texts):
        """Ask; a pipe holds less than a batch, so another thread writes."""
        asked = b"".join(struct.pack("=I", len(b)) + b for b in (t.encode() for t in texts))
        self.writer = threading.Thread(target=self.write, args=(asked,), daemon=True)
        self.writer.start()

    def write(self, asked):
        self.process.stdin.write(asked)
        self.process.stdin.flush()

    def ids(self, n):
        out = self.process.stdout
        for _ in range(n):
            (count,) = struct.unpack("=I", out.read(4))
            ids = array.array("i")
            ids.frombytes(out.read(4 * count))
            yield ids.tolist()
        self.writer.join()

    def close(self):
        self.process.stdin.close()
        assert self.process.stdout.read() == b""
        assert self.process.wait() == 0


def compare(build, model, tokenizer, batches):
    """How many texts were compared; fails at the first that differs."""
    ours = Ours(build, model)
    backend = tokenizer.backend_tokenizer
    assert backend.truncation is None and backend.padding is None
    compared = 0
    for texts in batches:
        ours.start(texts)
        theirs = backend.encode_batch_fast(texts, add_special_tokens=False)
        for text, got, want in zip(texts, ours.ids(len(texts)), theirs, strict=True):
            assert got == want.ids, ascii(text)
        compared += len(texts)
    ours.close()
    return compared


def vocabulary(tokenizer):
    """The texts of all tokens, those of half a character left out."""
    size = tokenizer.backend_tokenizer.get_vocab_size(with_added_tokens=False)
    texts = tokenizer.batch_decode([[i] for i in range(size)])
    return [t for t in texts if "\ufffd" not in t]


def test_no_random_text_has_other_ids(build, model_dir, tokenizer):
    maker = Maker(SEED, vocabulary(tokenizer), sorted(tokenizer.added_tokens_encoder))

    def batches():
        left = STRINGS
        while left > 0:
            n = min(BATCH, left)
            left -= n
            yield [maker.text() for _ in range(n)]

    assert compare(build, model_dir, tokenizer, batches()) == STRINGS


def test_encode_is_what_the_batch_is(tokenizer):
    """LLaMA-Factory calls encode(), one text at a time; we compared with the
    backend's batches, which are some hundred times as fast."""
    maker = Maker(SEED + 1, vocabulary(tokenizer), sorted(tokenizer.added_tokens_encoder))
    for _ in range(1000):
        text = maker.text()
        assert (tokenizer.encode(text, add_special_tokens=False) ==
                tokenizer.backend_tokenizer.encode(text, add_special_tokens=False).ids)


def test_each_token_of_the_vocabulary_is_what_its_text_becomes(build, model_dir, tokenizer):
    texts = vocabulary(tokenizer) + sorted(tokenizer.added_tokens_encoder)
    assert compare(build, model_dir, tokenizer, [texts]) == len(texts)


def test_each_code_point_between_others(build, model_dir, tokenizer):
    points = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000]

    def batches():
        for at in range(0, len(points), BATCH):
            yield [f"{c} a{c}b '{c}1{c}\n{c}\u0301 {c}" for c in points[at:at + BATCH]]

    assert compare(build, model_dir, tokenizer, batches()) == len(points)


def test_each_code_point_that_changes_in_any_normal_form(build, model_dir, tokenizer):
    def texts():
        for c in map(chr, range(0x110000)):
            if 0xD800 <= ord(c) < 0xE000:
                continue
            for form in ("NFC", "NFD", "NFKD"):
                other = unicodedata.normalize(form, c)
                if other != c:
                    yield other
                    yield "\u0327" + other + "\u0301\u0323"

    made = list(texts())
    batches = [made[at:at + BATCH] for at in range(0, len(made), BATCH)]
    assert compare(build, model_dir, tokenizer, batches) == len(made)


@pytest.mark.parametrize("text", ["a" * 100_000, " " * 100_000, "\u4e2d" * 30_000, "\u0301" * 30_000 + "\u0323" * 30_000,
                                  "<|" * 50_000, "\n" * 5_000 + " x", "ab" * 40_000, "'s" * 10_000])
def test_long_runs(build, model_dir, tokenizer, text):
    assert compare(build, model_dir, tokenizer, [[text]]) == 1


def test_what_transformers_saves_is_the_same_tokenizer(build, model_dir, tokenizer, tmp_path):
    """transformers 5 leaves added_tokens_decoder out."""
    load(model_dir).save_pretrained(tmp_path)
    maker = Maker(SEED + 2, vocabulary(tokenizer), sorted(tokenizer.added_tokens_encoder))
    texts = [maker.text() for _ in range(BATCH)]
    assert compare(build, tmp_path, load(tmp_path), [texts]) == BATCH


def test_truncation_and_padding_in_the_file_count_for_nothing(build, model_dir, tmp_path):
    for name in ("tokenizer_config.json", "config.json"):
        shutil.copy(model_dir / name, tmp_path)
    plain = load(model_dir)
    plain.backend_tokenizer.enable_truncation(max_length=3)
    plain.backend_tokenizer.enable_padding(length=8)
    plain.backend_tokenizer.save(str(tmp_path / "tokenizer.json"))
    cut = load(tmp_path)
    text = "one two three four five six seven eight nine ten"
    want = cut.encode(text, add_special_tokens=False)
    assert len(want) == 10
    ours = Ours(build, tmp_path)
    ours.start([text])
    assert list(ours.ids(1)) == [want]
    ours.close()


@pytest.mark.parametrize("ordered", [True, False])
def test_random_vocabularies(build, model_dir, tmp_path, ordered):
    """Tokens that end within characters, which the real vocabulary has few
    of, and ids in no order."""
    from tokenizers import Tokenizer

    audio = ("<|AUDIO|>", "<|audio_bos|>", "<|audio_eos|>")
    regex = json.loads((model_dir / "tokenizer.json").read_text())["pre_tokenizer"]
    for seed in range(60):
        vocabulary = Vocabulary(f"{SEED}-{seed}", ordered)
        folder = tmp_path / str(seed)
        folder.mkdir()
        (folder / "tokenizer.json").write_text(json.dumps(vocabulary.tokenizer(regex, audio)))
        (folder / "tokenizer_config.json").write_text(json.dumps({
            "tokenizer_class": "Qwen2Tokenizer", "eos_token": None, "pad_token": None, "unk_token": None}))
        original = Tokenizer.from_file(str(folder / "tokenizer.json"))
        texts = [vocabulary.text() for _ in range(500)]
        ours = Ours(build, folder)
        ours.start(texts)
        for text, got in zip(texts, ours.ids(len(texts)), strict=True):
            want = original.encode(text, add_special_tokens=False).ids
            assert got == want, (seed, ascii(text))
        ours.close()
