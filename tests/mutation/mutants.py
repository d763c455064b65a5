"""The changes that tests/mutation/run makes: operators and constants of C.

A mutant is one token of a source changed into another.  What is changed is
code that does something: not comments, strings, includes, conditions of the
preprocessor, prototypes, nor the sizes in declarations.
"""
import dataclasses
import hashlib
import re

# What each binary operator becomes.
BINARY = {
    "+": ["-"], "-": ["+"], "*": ["+"], "/": ["*"], "%": ["/"],
    "<": ["<=", ">="], "<=": ["<", ">"], ">": [">=", "<="],
    ">=": [">", "<"], "==": ["!="], "!=": ["=="], "&&": ["||"],
    "||": ["&&"], "&": ["|"], "|": ["&"], "^": ["&"], "<<": [">>"],
    ">>": ["<<"], "+=": ["-="], "-=": ["+="], "*=": ["+="], "/=": ["*="],
    "|=": ["&="], "&=": ["|="], "^=": ["|="], "<<=": [">>="],
    ">>=": ["<<="],
}
ASSIGNING = {"+=", "-=", "*=", "/=", "|=", "&=", "^=", "<<=", ">>="}
TOKEN = re.compile(r"""
    (?P<skip>\s+|\\\n|//[^\n]*|/\*.*?\*/)
  | (?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
  | (?P<number>(?:0[xX][0-9a-fA-F]+|\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)
        [uUlLfF]*)
  | (?P<word>[A-Za-z_]\w*)
  | (?P<operator><<=|>>=|\.\.\.|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\|
        |[-+*/%&|^]=|.)
""", re.X | re.S)
TYPE = re.compile(r"(static|const|unsigned|signed|char|int|long|short|struct|"
                  r"enum|union|size_t|ssize_t|float|double|bool|vec|bits|wide|"
                  r"words|floats|volatile|off_t|u?int\d+_t)\b")


@dataclasses.dataclass(frozen=True)
class Mutant:
    """Lines of FILE, in FUNCTION if in any, that were BEFORE and are AFTER,
    from LINE on.  Of all lines of the file that are BEFORE it is the NTH."""
    file: str
    function: str
    nth: int
    line: int
    before: str
    after: str
    start: int
    end: int
    token: str

    def change(self):
        return (self.before.strip(), self.after.strip())

    def names(self):
        """How equivalent.txt may name it: where it is, what it was and is."""
        before, after = self.change()
        return {(where, before, change)
                for where in (self.file, f"{self.file} {self.function}",
                              f"{self.file} {self.nth}")
                for change in (after, "*", f"* to {self.token}")}

    def rank(self, seed):
        """A number that other changes of the source leave as it is."""
        said = f"{seed}\n{self.file}\n{self.before}\n{self.after}"
        said += f"\n{self.nth}" if self.nth > 1 else ""
        return hashlib.sha256(said.encode()).digest()


def tokens(text):
    """(kind, text, start) of each token, and None where a line of the
    preprocessor other than #define starts or ends."""
    at = 0
    while at < len(text):
        begins = text.rfind("\n", 0, at) + 1
        if text[at] == "#" and text[begins:at].strip() == "":
            end = at
            while True:
                end = text.find("\n", end)
                if text[end - 1] != "\\":
                    break
                end += 1
            define = re.match(r"#\s*define\s+\w+(\([^)]*\))?", text[at:end])
            if not define:
                at = end
                continue
            at += define.end()
            yield "operator", ";", at
        found = TOKEN.match(text, at)
        if found.lastgroup != "skip":
            yield found.lastgroup, found.group(), at
        at = found.end()


def other_numbers(number, minus):
    """What NUMBER, behind a MINUS perhaps, becomes."""
    body = number.rstrip("uUlLfF" if not number.lower().startswith("0x")
                         else "uUlL")
    suffix = number[len(body):]
    if re.search(r"[.eE]", body) and not body.lower().startswith("0x"):
        return [repr(float(body) + 1) + suffix]
    value = int(body, 0) if not re.fullmatch(r"0[0-7]+", body) \
        else int(body, 8)
    show = hex if body.lower().startswith("0x") else str
    if minus:
        return [show(value - 1) + suffix] if value > 0 else []
    changed = [show(value + 1) + suffix]
    if value > 0:
        changed.append(show(value - 1) + suffix)
    return changed


def spaced(text, start, end):
    return text[start - 1].isspace() and text[end].isspace()


def changes(text):
    """(start, end, new) of each change of TEXT."""
    depth = 0
    before = ("operator", ";")
    last = None
    for kind, token, start in tokens(text):
        end = start + len(token)
        begins = text.rfind("\n", 0, start) + 1
        line = text[begins:text.find("\n", start)]
        declares = TYPE.match(line.strip()) and \
            "=" not in text[begins:start]
        depth += {"{": 1, "}": -1}.get(token, 0) if kind == "operator" else 0
        operand = before[0] in ("word", "number", "text") and \
            before[1] not in ("return", "case", "else", "sizeof") or \
            before[1] in (")", "]", "++", "--")
        if kind == "number" and not declares:
            minus = before[1] == "-" and (last is None or not last)
            for new in other_numbers(token, minus):
                yield start, end, new
        elif kind == "word" and token in ("true", "false"):
            yield start, end, "false" if token == "true" else "true"
        elif kind == "operator" and token == "!" and depth > 0:
            yield start, end, ""
        elif kind == "operator" and token in ("++", "--") and depth > 0:
            yield start, end, "--" if token == "++" else "++"
        elif kind == "operator" and token in BINARY and operand and \
                not declares and (token in ASSIGNING or
                                  spaced(text, start, end)):
            for new in BINARY[token]:
                yield start, end, new
        last = operand
        before = (kind, token)


def function_around(text, at):
    """The name of the function that TEXT has AT, or "": names are at the
    start of a line, and so is the brace that ends it."""
    bounds = re.findall(r"^(?:(\w+)\(|\})", text[:at], re.M)
    return bounds[-1] if bounds else ""


def mutants_of(file, text):
    for start, end, new in changes(text):
        begins = text.rfind("\n", 0, start) + 1
        ends = text.find("\n", end)
        line = text[begins:ends].strip()
        nth = 1 + sum(above.strip() == line
                      for above in text[:begins].splitlines())
        yield Mutant(file, function_around(text, start), nth,
                     text.count("\n", 0, start) + 1,
                     text[begins:ends],
                     text[begins:start] + new + text[end:ends],
                     start, end, new)
