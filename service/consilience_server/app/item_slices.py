"""Slices of items by an attribute of their spaces."""

from collections.abc import Mapping, Sequence

from consilience_server.app.item_values import Value, item_values
from consilience_server.app.ports import AttributeColumn
from consilience_server.core.slices import Slices, slices_of


def attribute_slices(attribute: str, spaces: Mapping[str, Mapping[str, AttributeColumn]], ids: Sequence[str], field: str) -> Slices:
    """The slices of items by the values of an attribute, as text; arguments and refusals as `item_values`."""
    return slices_of([_text(value) for _, value in item_values(attribute, spaces, ids, field)])


def _text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
