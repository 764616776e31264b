"""A replacement for `dataclasses`, at a tenth of its cost when the function starts.

The standard library's decorator writes and compiles the methods of each class at each start, half a millisecond a
class, and needs `inspect` for it: 45 of the 110 ms of a cold start, for a hundred classes. Here the methods are
closures. To a type checker, and to `dataclasses.fields`, `replace` and `asdict`, these classes are dataclasses.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, TypeVar

if TYPE_CHECKING:
    from dataclasses import MISSING, Field, asdict, dataclass, field, fields, replace
else:
    MISSING = object()
    _T = TypeVar("_T")
    _OWN = "__records__"

    class Field(NamedTuple):
        """One attribute, as described by `field`."""

        name: str
        type: Any
        default: Any
        default_factory: Any
        compare: bool
        repr: bool
        metadata: Mapping[str, Any]
        kw_only: bool | None

    def field(*, default=MISSING, default_factory=MISSING, compare=True, repr=True, metadata=None, kw_only=None) -> Any:
        """As dataclasses.field."""
        return Field("", None, default, default_factory, compare, repr, metadata or {}, kw_only)

    def fields(one: Any) -> tuple[Field, ...]:
        """The attributes of a class or of an instance, in their order."""
        return tuple(getattr(one, _OWN).values())

    def replace(one: _T, **changes: Any) -> _T:
        """A copy with these values changed. Raises TypeError for an unknown name."""
        own, values = getattr(one, _OWN), one.__dict__
        if not changes.keys() <= own.keys():
            raise TypeError(f"{type(one).__name__}: not known: {sorted(changes.keys() - own.keys())}")
        made = object.__new__(type(one))
        made.__dict__.update({**{name: values[name] for name in own}, **changes})  # without cached values
        return made

    def asdict(one: Any) -> Any:
        """The attributes by name, recursively."""
        if hasattr(type(one), _OWN):
            return {name: asdict(getattr(one, name)) for name in getattr(one, _OWN)}
        if isinstance(one, dict):
            return {name: asdict(value) for name, value in one.items()}
        return type(one)(map(asdict, one)) if type(one) in (list, tuple) else one

    def dataclass(*, frozen=False, kw_only=False, order=False, **_: bool) -> Callable[[type[_T]], type[_T]]:
        """As dataclasses.dataclass. `slots` is ignored: the class would have to be created twice."""

        def made(cls: type[_T]) -> type[_T]:
            found = {name: one for base in reversed(cls.__mro__[1:]) for name, one in vars(base).get(_OWN, {}).items()}
            for name, kind in cls.__annotations__.items():
                found[name] = _declared(cls, name, kind, kw_only)
            setattr(cls, _OWN, found)
            cls.__dataclass_fields__ = _Lazily()
            methods = _methods(found, order=order)
            if frozen:
                methods |= {"__setattr__": _frozen, "__delattr__": _frozen}
            else:
                methods["__hash__"] = None
            for name, method in methods.items():
                if name not in vars(cls) or (name == "__hash__" and vars(cls)[name] is None):
                    setattr(cls, name, method)
            return cls

        return made

    def _declared(cls: type, name: str, kind: Any, kw_only: bool) -> Field:
        value = vars(cls).get(name, MISSING)
        one = value if isinstance(value, Field) else field(default=value)
        if one.default is not MISSING:
            setattr(cls, name, one.default)
        elif name in vars(cls):
            delattr(cls, name)
        return one._replace(name=name, type=kind, kw_only=kw_only if one.kw_only is None else one.kw_only)

    def _methods(found: Mapping[str, Field], *, order: bool) -> dict[str, Any]:
        """The methods of a class with these attributes."""
        names = tuple(name for name, one in found.items() if not one.kw_only)
        compared = tuple(name for name, one in found.items() if one.compare)

        def key(self: Any) -> tuple[Any, ...]:
            return tuple([getattr(self, name) for name in compared])

        def equal(self: Any, other: object) -> Any:
            return key(self) == key(other) if type(other) is type(self) else NotImplemented

        def less(self: Any, other: object) -> Any:
            return key(self) < key(other) if type(other) is type(self) else NotImplemented

        def shown(self: Any) -> str:
            said = (f"{name}={getattr(self, name)!r}" for name, one in found.items() if one.repr)
            return f"{type(self).__qualname__}({', '.join(said)})"

        methods = {
            "__init__": _maker(found, names), "__eq__": equal, "__hash__": lambda self: hash(key(self)),
            "__repr__": shown, "__match_args__": names,
        }  # fmt: skip
        return methods | ({"__lt__": less} if order else {})

    def _maker(found: Mapping[str, Field], names: tuple[str, ...]) -> Callable[..., None]:
        defaults = {name: one.default for name, one in found.items() if one.default is not MISSING}
        factories = {name: one.default_factory for name, one in found.items() if one.default_factory is not MISSING}
        count, known = len(found), frozenset(found)

        def __init__(self: Any, *given: Any, **named: Any) -> None:  # noqa: N807 (its name in tracebacks)
            values = self.__dict__
            values.update(zip(names, given))  # noqa: B905 (what is too long is found below)
            if not named and len(given) == count == len(names):
                return
            if named:
                values.update(named)
                if not named.keys() <= known:
                    raise TypeError(f"{type(self).__name__}: not known: {sorted(named.keys() - known)}")
            if len(values) != len(given) + len(named):
                raise TypeError(f"{type(self).__name__}: given twice, or too many: {sorted(named)}")
            if len(values) == count:
                return
            values.update({**defaults, **values})
            for name, make in factories.items():
                if name not in values:
                    values[name] = make()
            if len(values) != count:
                raise TypeError(f"{type(self).__name__} lacks {', '.join(found.keys() - values.keys())}")

        return __init__

    def _frozen(_: Any, name: str, *__: Any) -> NoReturn:
        from dataclasses import FrozenInstanceError  # noqa: PLC0415 (it is a mistake in the code)

        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    class _Lazily:
        """The attribute in which the standard library looks for fields, built on first use."""

        def __get__(self, one: object, cls: type) -> Mapping[str, Any]:
            import dataclasses  # noqa: PLC0415 (not on the way of a message)

            def real(one: Field) -> Any:
                given = {
                    name: value
                    for name in ("default", "default_factory")
                    if (value := getattr(one, name)) is not MISSING
                }
                given |= {"compare": one.compare, "repr": one.repr, "metadata": one.metadata}
                return dataclasses.field(**given, kw_only=bool(one.kw_only))

            every = [(name, one.type, real(one)) for name, one in getattr(cls, _OWN).items()]
            twin: Any = dataclasses.make_dataclass(cls.__name__, every)
            found: Mapping[str, Any] = twin.__dataclass_fields__
            return found


__all__ = ["MISSING", "Field", "asdict", "dataclass", "field", "fields", "replace"]
