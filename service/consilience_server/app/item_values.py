"""The values of an attribute of items that several spaces have."""

from collections.abc import Mapping, Sequence

from consilience_server.app.ports import AttributeColumn
from consilience_server.app.validation import shown
from consilience_server.core.errors import InvalidAttribute

Value = str | int | float | bool


def item_values(
    attribute: str, spaces: Mapping[str, Mapping[str, AttributeColumn]], ids: Sequence[str], field: str
) -> list[tuple[type, Value]]:
    """Each item's value with its type (True is not 1): the one that any of the spaces has for it.

    Args:
        attribute: its name.
        spaces: of each space, by name, the attributes of the items in the order of `ids`.
        ids: of the items.
        field: of the request, for refusals.

    Raises:
        InvalidAttribute: no space has the attribute; items have no value, or different values in two spaces.
    """
    having = {name: columns[attribute] for name, columns in spaces.items() if attribute in columns}
    if not having:
        known = sorted({name for columns in spaces.values() for name in columns})
        there = f"there are {', '.join(known)}" if known else "they have none"
        raise InvalidAttribute(f"{' and '.join(spaces)} have no attribute {attribute!r} for these items; {there}", field=field)
    values: list[tuple[type, Value] | None] = [None] * len(ids)
    for name, column in having.items():
        for at, value in enumerate(column.values):
            if value is None or value != value:  # noqa: PLR0124 - NaN is no value
                continue
            if values[at] is None:
                values[at] = (type(value), value)
            elif values[at] != (type(value), value):
                others = ", ".join(other for other in having if other != name)
                raise InvalidAttribute(
                    f"item {ids[at]!r} has another {attribute!r} in {name} ({value!r}) than in {others}; make them the same",
                    field=field,
                )
    missing = [item for item, value in zip(ids, values, strict=True) if value is None]
    if missing:
        raise InvalidAttribute(
            f"{len(missing):,} of {len(ids):,} common items have no value of {attribute!r}: {shown(missing)}; "
            "give every item a value, or leave these items out",
            field=field,
            missing=len(missing),
        )
    return [value for value in values if value is not None]
