"""What a part of the benchmark is given."""
from dataclasses import dataclass
from pathlib import Path

from data import Data


@dataclass(frozen=True)
class Context:
    build: Path         # the programs
    bench: Path         # programs that only the benchmark calls
    work: Path          # scratch, on disk
    model: Path         # a model directory with the real vocabulary
    originals: str      # Python with LLaMA-Factory
    peers: str          # Python with the other tools that people use
    rounds: int
    data: Data

    def program(self, name: str, *arguments) -> list[str]:
        """The command line of one of ossicle's programs."""
        return [str(self.build / name), *map(str, arguments)]
