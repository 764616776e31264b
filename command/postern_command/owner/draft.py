"""owner.yaml on its way to be written: what is there, what it lacked, and what is chosen now."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from . import file, values
from .parameters import Parameter


@dataclass
class Draft:
    """The file as it was, "" if there is none, and as it is to be. `added` and `removed` are names of parameters."""

    path: Path
    parameters: Mapping[str, Parameter]
    there: str
    text: str
    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)

    @classmethod
    def begin(cls, path: Path, parameters: Mapping[str, Parameter]) -> "Draft":
        """The file completed, or a new one that begins as its example does. Raises file.Unreadable."""
        try:
            there = file.read(path)
        except FileNotFoundError:
            return cls(path, parameters, "", file.written(parameters, _example(path, parameters), values.HEAD))
        return cls(path, parameters, there, *file.completed(there, parameters))

    @property
    def is_new(self) -> bool:
        """Whether there is no file yet."""
        return not self.there

    @property
    def values(self) -> dict[str, str]:
        """What it says."""
        return file.values(self.text)

    def choose(self, chosen: Mapping[str, str]) -> None:
        """Change values."""
        self.text = file.changed(self.text, self.parameters, chosen)

    def write(self) -> None:
        """Write the file whole or not at all; one that says this already is left alone. Raises OSError."""
        if self.text != self.there:
            new = self.path.with_name(f".{self.path.name}.new")
            new.write_text(self.text, encoding="utf-8")
            new.replace(self.path)

    def news(self) -> list[str]:
        """What is another value than before, or than the default of a new file; a line each."""
        before, now = file.values(self.there) if self.there else {}, self.values
        news = []
        for name, value in now.items():
            if not self.is_new and name in before and before[name] != value:
                news.append(f"{name} is {value!r} now, and was {before[name]!r}")
            elif self.is_new and value != (self.parameters[name].default or ""):
                news.append(f"{name} is {value!r}")
        news += [f"{name} is new, with its default {now[name]!r}" for name in self.added]
        return news + [f"{name} is no parameter any more; its line is a comment now" for name in self.removed]


def _example(path: Path, parameters: Mapping[str, Parameter]) -> dict[str, str]:
    """What the example beside the file says, apart from whose it is."""
    try:
        example = file.values(file.read(path.with_suffix(f".example{path.suffix}")))
    except (FileNotFoundError, file.Unreadable):
        return {}
    whose = {values.domain_parameter(parameters), values.owner_parameter(parameters)}
    return {name: value for name, value in example.items() if name not in whose}
