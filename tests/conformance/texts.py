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
