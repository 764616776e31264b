"""owner.yaml before it is written: the existing text, what it lacked, and the new choices."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from . import file, values
from .parameters import Parameter


@dataclass
class Draft:
    """The old text of the file ("" if there is none) and the new. `added` and `removed` are names of parameters."""

    path: Path
    parameters: Mapping[str, Parameter]
    there: str
    text: str
    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)

    @classmethod
    def begin(cls, path: Path, parameters: Mapping[str, Parameter]) -> "Draft":
        """The existing file, completed, or a new one based on the example. Raises file.Unreadable."""
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
        """The values in the new text."""
        return file.values(self.text)

    def choose(self, chosen: Mapping[str, str]) -> None:
        """Change values."""
        self.text = file.changed(self.text, self.parameters, chosen)

    def write(self) -> None:
        """Write the file whole or not at all, unless nothing changed. Raises OSError."""
        if self.text != self.there:
            new = self.path.with_name(f".{self.path.name}.new")
            new.write_text(self.text, encoding="utf-8")
            new.replace(self.path)

    def news(self) -> list[str]:
        """A line for each value that differs from before, or in a new file from the default."""
        before, now = file.values(self.there) if self.there else {}, self.values
        news = []
        for name, value in now.items():
            if not self.is_new and name in before and before[name] != value:
                news.append(f"{name} is now {value!r}; it was {before[name]!r}")
            elif self.is_new and value != (self.parameters[name].default or ""):
                news.append(f"{name} is {value!r}")
        news += [f"{name} is new, with its default {now[name]!r}" for name in self.added]
        return news + [f"{name} is no longer a parameter; its line is now a comment" for name in self.removed]


def _example(path: Path, parameters: Mapping[str, Parameter]) -> dict[str, str]:
    """The values of the example beside the file, without its domain and owner."""
    try:
        example = file.values(file.read(path.with_suffix(f".example{path.suffix}")))
    except (FileNotFoundError, file.Unreadable):
        return {}
    whose = {values.domain_parameter(parameters), values.owner_parameter(parameters)}
    return {name: value for name, value in example.items() if name not in whose}
