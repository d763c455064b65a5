"""Random texts that a tokenizer may trip over, the same for the same seed."""
import random
import unicodedata

SPACES = [" ", "  ", "    ", "\n", "\r\n", "\r", "\t", " \n", "\n ", "\n\n  ", "\u3000", "\xa0", "\x85", "\u2028",
          "\u1680", "\u200a", "\x0b", "\x1c", "\ufeff", "\u200b", "\u180e"]
CONTRACTIONS = ["'s", "'S", "'\u017f", "'re", "'RE", "'rE", "'ll", "'lL", "'Ve", "'d", "'t", "'m", "'", "\u2019s",
                "'K", "'\u212a", "''s", " 's", "\n'll"]
MARKS = [chr(c) for c in range(0x300, 0x370)] + list("\u0591\u05b4\u064b\u0655\u093c\u09be\u0b3e\u0dca\u0e38\u0f71"
                                                     "\u1161\u11a8\u3099\u309a\u20d0\U0001d165\U00011930")
BASES = list("aeiouAEIOUnNcdDhlrstyz\u00c5\u0131\u03b1\u03c9\u0418\u05d0\u0627\u0915\u0958\u0f40\u1100\uac00\uac01"
             "\u304b\u30cf\u212b\u2126\U0001d15f\U00011935")
BREAKING = "<|>a0 \n"  # with what an added token is almost one


class Maker:
    """TOKENS are the texts of the vocabulary's tokens, ADDED those of the
    added ones."""

    def __init__(self, seed, tokens, added):
        self.random = random.Random(seed)
        self.tokens = tokens
        self.added = added
        self.digits = [chr(c) for c in range(0x110000) if unicodedata.category(chr(c))[0] == "N"]

    def point(self):
        """A code point of any plane, assigned or not, but no surrogate."""
        r = self.random
        while True:
            c = r.choice((r.randrange(0x80), r.randrange(0x800), r.randrange(0x2000), r.randrange(0x10000),
                          r.randrange(0x4E00, 0xA000), r.randrange(0xAC00, 0xD7A4), r.randrange(0x10000, 0x20000),
                          r.randrange(0x110000)))
            if not 0xD800 <= c < 0xE000:
                return chr(c)

    def almost(self):
        """A piece of an added token, or one with a character changed."""
        r = self.random
        token = r.choice(self.added)
        at = r.randrange(len(token))
        return r.choice((token[:at], token[at:], token[:at] + r.choice(BREAKING) + token[at + 1:]))

    def piece(self):
        r = self.random
        k = r.randrange(20)
        if k < 4:
            return self.point()
        if k < 8:
            return r.choice(self.tokens)
        if k < 10:
            return r.choice(SPACES) * r.choice((1, 1, 1, 2, 3, 9, 40))
        if k == 10:
            return r.choice(CONTRACTIONS)
        if k == 11:
            return r.choice(self.added)
        if k == 12:
            return self.almost()
        if k < 15:
            return r.choice(BASES) + "".join(r.choice(MARKS) for _ in range(r.randrange(4)))
        if k == 15:
            return "".join(r.choice(self.digits) for _ in range(r.randint(1, 6)))
        if k == 16:
            return str(r.randrange(10 ** r.randint(1, 12)))
        if k == 17:
            return self.point() * r.randrange(1, 40)
        if k == 18:
            return "".join(chr(r.randrange(0x4E00, 0xA000)) for _ in range(r.randint(2, 20)))
        return "".join(r.choice("abcdefghijklmnopqrstuvwxyz_") for _ in range(r.randint(1, 60)))

    def text(self):
        return "".join(self.piece() for _ in range(self.random.randrange(12)))


class Vocabulary:
    """Random merges over the bytes of a few characters, each of tokens that
    are there already, many of them ending within a character; with ORDERED
    false, their ids in no order."""

    def __init__(self, seed, ordered=True, merges=200):
        self.random = random.Random(seed)
        self.characters = self.random.sample(list("ab \u00e9\u0436\u05d0\u0e01\u4e00\u4e01\u4f60\u597d\u5979\ud55c\U0001f600"
                                                  "\U0001f601"), self.random.randint(3, 9))
        byte = self.alphabet()
        self.merges = []
        known = set()
        for _ in range(50 * merges):
            if len(self.merges) == merges:
                break
            text = self.pieces(self.characters, 6).encode()
            if len(text) < 2:
                continue
            # Split by what is known so far, at random: two neighbours merge.
            at = self.random.randrange(1, len(text))
            left, right = text[self.random.randrange(at):at], text[at:self.random.randint(at + 1, len(text))]
            if any(len(x) > 1 and x not in known for x in (left, right)) or left + right in known or len(left + right) > 14:
                continue
            known.add(left + right)
            self.merges.append(tuple("".join(byte[b] for b in x) for x in (left, right)))
        tokens = [byte[b] for b in range(256)] + [a + b for a, b in self.merges]
        if not ordered:
            self.random.shuffle(tokens)
        self.vocabulary = {t: i for i, t in enumerate(tokens)}

    @staticmethod
    def alphabet():
        """What each byte is written as."""
        keep = [*range(33, 127), *range(161, 173), *range(174, 256)]
        rest = (b for b in range(256) if b not in keep)
        table = {b: chr(b) for b in keep}
        table.update({b: chr(256 + i) for i, b in enumerate(rest)})
        return table

    def pieces(self, pool, most):
        return "".join(self.random.choice(pool) for _ in range(self.random.randint(1, most)))

    def text(self):
        return self.pieces(self.characters, self.random.choice((4, 12, 40, 90)))

    def tokenizer(self, regex, added=()):
        """The tokenizer.json."""
        level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
        flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
        n = len(self.vocabulary)
        return {
            "version": "1.0", "truncation": None, "padding": None,
            "added_tokens": [{"id": n + i, "content": t, **flags} for i, t in enumerate(added)],
            "normalizer": {"type": "NFC"}, "pre_tokenizer": regex, "post_processor": level, "decoder": level,
            "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": "",
                      "end_of_word_suffix": "", "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
                      "vocab": self.vocabulary, "merges": self.merges},
        }
