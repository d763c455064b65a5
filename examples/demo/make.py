#!/usr/bin/env python3
"""make.py [clips|model|data ...]: make the demo data set again, in its folder.

    clips/       ten short spoken clips and one that is cut, on purpose
    model/       a small, complete Qwen2-Audio model directory, without weights
    data.json    pairs over the clips (sharegpt); two records are broken
    dataset_info.json   what LLaMA-Factory reads to find data.json

Needs espeak-ng, sox, ffmpeg and Python's `tokenizers' (0.22.2 made what is
committed).  With the same versions the same bytes come out.  What it says is
in text.py.
"""
import json
import os
import subprocess
import sys
import tempfile

from text import CLIPS, CORPUS, PAIRS, TOOLS

HERE = os.path.dirname(os.path.abspath(__file__))

ADDED = ["<|endoftext|>", "<|im_start|>", "<|im_end|>",
         "<|AUDIO|>", "<|audio_bos|>", "<|audio_eos|>"]
VOCAB_SIZE = 2560       # bytes and merges; the added tokens come after
SPLIT = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
         r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
CHAT_TEMPLATE = """\
{%- set audio = namespace(n=0) -%}
{%- for m in messages -%}
{%- if loop.first and m['role'] != 'system' -%}
{{- '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' -}}
{%- endif -%}
{{- '<|im_start|>' + m['role'] + '\\n' -}}
{%- if m['content'] is string -%}
{{- m['content'] -}}
{%- else -%}
{%- for part in m['content'] -%}
{%- if part['type'] == 'audio' -%}
{%- set audio.n = audio.n + 1 -%}
{{- 'Audio ' ~ audio.n ~ ': <|audio_bos|><|AUDIO|><|audio_eos|>\\n' -}}
{%- elif 'text' in part -%}
{{- part['text'] -}}
{%- endif -%}
{%- endfor -%}
{%- endif -%}
{{- '<|im_end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|im_start|>assistant\\n' -}}
{%- endif -%}
"""


def run(*argv):
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL)


def dump(value, *path):
    with open(os.path.join(HERE, *path), "w", encoding="utf-8") as f:
        json.dump(value, f, ensure_ascii=False, indent=1)
        f.write("\n")


def make_clips():
    """Speak each text, shape it with sox, and encode what sox does not."""
    folder = os.path.join(HERE, "clips")
    os.makedirs(folder, exist_ok=True)
    with tempfile.TemporaryDirectory() as tmp:
        spoken = os.path.join(tmp, "spoken.wav")
        shaped = os.path.join(tmp, "shaped.wav")
        for name, voice, rate, shape, codec, text in CLIPS:
            out = os.path.join(folder, name)
            run("espeak-ng", "-v", voice, "-s", "170", "-w", spoken, text)
            if codec is None:
                run("sox", "-D", spoken, *shape, "-r", str(rate), out, "norm",
                    "-3", *(["remix", "1", "1v0.5"] if "2" in shape else []))
                continue
            run("sox", "-D", spoken, *shape, "-r", str(rate), shaped, "norm",
                "-3", *(["remix", "1", "1v0.5"] if "2" in shape else []))
            run("ffmpeg", "-v", "error", "-y", "-i", shaped,
                "-map_metadata", "-1", "-fflags", "+bitexact",
                "-flags:a", "+bitexact", *codec, out)

    # Copied over a line that broke: the header announces more than there is.
    with open(os.path.join(folder, "weather.wav"), "rb") as f:
        whole = f.read()
    with open(os.path.join(folder, "cut.wav"), "wb") as f:
        f.write(whole[:len(whole) // 5 * 2])


def byte_letters():
    """The letter that stands for each byte, in the order of their ids."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [b for b in range(256) if b not in shown]
    return [chr(b) for b in shown] + [chr(256 + i) for i in range(len(hidden))]


def spoken_text():
    """All the text that the vocabulary is learnt from."""
    yield from CORPUS
    yield from (clip[-1] for clip in CLIPS)
    for pair in PAIRS:
        for turn in pair["conversations"]:
            yield turn["value"]
        yield pair["chosen"]
        yield pair["rejected"]
        yield pair.get("system", "")
    yield TOOLS


def learn_merges():
    """Merges, best first, each of which makes a token not made before."""
    from tokenizers import Regex, Tokenizer, models, normalizers
    from tokenizers import pre_tokenizers, trainers

    t = Tokenizer(models.BPE())
    t.normalizer = normalizers.NFC()
    t.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(SPLIT), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])
    t.train_from_iterator(spoken_text(), trainers.BpeTrainer(
        vocab_size=2 * VOCAB_SIZE, min_frequency=1, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    made, merges = set(), []
    for left, right in json.loads(t.to_str())["model"]["merges"]:
        if left + right not in made:
            made.add(left + right)
            merges.append([left, right])
    return merges[:VOCAB_SIZE - 256]


def make_model():
    byte_level = {"type": "ByteLevel", "add_prefix_space": False,
                  "trim_offsets": False, "use_regex": False}
    merges = learn_merges()
    vocab = {letter: i for i, letter in enumerate(byte_letters())}
    for left, right in merges:
        vocab[left + right] = len(vocab)
    added = [{"id": len(vocab) + i, "content": text, "single_word": False,
              "lstrip": False, "rstrip": False, "normalized": False,
              "special": True} for i, text in enumerate(ADDED)]
    ids = {token["content"]: token["id"] for token in added}

    os.makedirs(os.path.join(HERE, "model"), exist_ok=True)
    dump({
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": added,
        "normalizer": {"type": "NFC"},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": SPLIT},
             "behavior": "Isolated", "invert": False},
            byte_level]},
        "post_processor": byte_level,
        "decoder": byte_level,
        "model": {
            "type": "BPE", "dropout": None, "unk_token": None,
            "continuing_subword_prefix": "", "end_of_word_suffix": "",
            "fuse_unk": False, "byte_fallback": False,
            "ignore_merges": False, "vocab": vocab, "merges": merges},
    }, "model", "tokenizer.json")
    dump({
        "tokenizer_class": "Qwen2Tokenizer",
        "processor_class": "Qwen2AudioProcessor",
        "add_prefix_space": False, "bos_token": None,
        "eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>",
        "unk_token": None, "errors": "replace", "model_max_length": 8192,
        "split_special_tokens": False, "clean_up_tokenization_spaces": False,
        "additional_special_tokens": ADDED[1:],
        "added_tokens_decoder": {str(token.pop("id")): token
                                 for token in added},
    }, "model", "tokenizer_config.json")
    dump({
        "feature_extractor_type": "WhisperFeatureExtractor",
        "processor_class": "Qwen2AudioProcessor",
        "feature_size": 128, "sampling_rate": 16000, "hop_length": 160,
        "n_fft": 400, "chunk_length": 30, "n_samples": 480000,
        "nb_max_frames": 3000, "padding_side": "right", "padding_value": 0.0,
        "return_attention_mask": True,
    }, "model", "preprocessor_config.json")
    dump({
        "processor_class": "Qwen2AudioProcessor", "audio_token": "<|AUDIO|>",
        "audio_bos_token": "<|audio_bos|>", "audio_eos_token": "<|audio_eos|>",
    }, "model", "processor_config.json")
    dump({
        "model_type": "qwen2_audio",
        "architectures": ["Qwen2AudioForConditionalGeneration"],
        "audio_token_index": ids["<|AUDIO|>"],
        "audio_config": {
            "model_type": "qwen2_audio_encoder", "num_mel_bins": 128,
            "d_model": 64, "encoder_layers": 2, "encoder_attention_heads": 4,
            "encoder_ffn_dim": 128, "max_source_positions": 1500,
            "scale_embedding": False, "activation_function": "gelu"},
        "text_config": {
            "model_type": "qwen2", "hidden_size": 64, "intermediate_size": 128,
            "num_hidden_layers": 2, "num_attention_heads": 4,
            "num_key_value_heads": 2, "max_position_embeddings": 8192,
            "rms_norm_eps": 1e-05, "tie_word_embeddings": False,
            "vocab_size": (len(vocab) + len(ADDED) + 63) // 64 * 64,
            "bos_token_id": ids["<|endoftext|>"],
            "eos_token_id": ids["<|im_end|>"],
            "pad_token_id": ids["<|endoftext|>"]},
    }, "model", "config.json")
    with open(os.path.join(HERE, "model", "chat_template.jinja"), "w") as f:
        f.write(CHAT_TEMPLATE)


def make_data():
    records = []
    for pair in PAIRS:
        record = dict(pair)
        for side in ("chosen", "rejected"):
            record[side] = {"from": "gpt", "value": pair[side]}
        record["audios"] = ["clips/" + name for name in pair["audios"]]
        records.append(record)
    with open(os.path.join(HERE, "data.json"), "w", encoding="utf-8") as f:
        f.write("[\n" + ",\n".join(json.dumps(r, ensure_ascii=False)
                                    for r in records) + "\n]\n")
    dump({"demo": {
        "file_name": "data.json", "formatting": "sharegpt", "ranking": True,
        "columns": {"messages": "conversations", "chosen": "chosen",
                    "rejected": "rejected", "system": "system",
                    "tools": "tools", "audios": "audios"},
    }}, "dataset_info.json")


def main():
    for part in sys.argv[1:] or ["clips", "model", "data"]:
        {"clips": make_clips, "model": make_model, "data": make_data}[part]()


if __name__ == "__main__":
    main()
