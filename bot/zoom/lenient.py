"""Reads a JSON object into a struct, field by field: what is not as it should be counts as left out. Pure.

Zoom leaves fields out, sends null, or writes a number where it wrote text before. It never repeats an event
that is refused, so one such field must not lose the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

import msgspec

S = TypeVar("S", bound=msgspec.Struct)

_NOTHING = object()


def read(found: Mapping[str, Any], kind: type[S]) -> S:
    """The object as a struct, whose fields must all have defaults. A number is text where text is wanted. Of
    a list, the items that can be read are kept."""
    try:
        return msgspec.convert(found, kind)
    except msgspec.ValidationError:
        pass
    fields = {
        field.name: _value(found[field.encode_name], field.type)
        for field in msgspec.structs.fields(kind)
        if field.encode_name in found
    }
    return kind(**{name: value for name, value in fields.items() if value is not _NOTHING})


def _value(value: Any, kind: Any) -> Any:
    for each in _members(kind):
        if isinstance(value, Mapping) and isinstance(each, type) and issubclass(each, msgspec.Struct):
            return read(value, each)
        if isinstance(value, list) and get_origin(each) is list:
            items = [_value(item, get_args(each)[0]) for item in value]
            return [item for item in items if item is not _NOTHING]
    for other in (value, _text(value)):
        try:
            return msgspec.convert(other, kind)
        except msgspec.ValidationError:
            continue
    return _NOTHING


def _members(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


def _text(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        # Some programs write every number with a fraction.
        value = int(value)
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
