import pytest

from consilience_server.app.request_fields import asked_by
from consilience_server.core.errors import BridgeNotFound, ItemNotFound, SpaceNotFound, VersionExpired


def field_of(error, *fields):
    with pytest.raises(type(error)) as caught, asked_by(*fields):
        raise error
    return caught.value.field


def test_the_field_that_asked_is_named():
    assert field_of(SpaceNotFound("-"), "x") == "x"
    assert field_of(BridgeNotFound("-"), "bridge") == "bridge"
    assert field_of(VersionExpired("-"), "x") == "x.version"
    assert field_of(VersionExpired("-"), "bridge", "gallery_version") == "gallery_version"
    assert field_of(VersionExpired("-"), "") == "version"


def test_what_names_its_field_or_is_another_error_stays():
    assert field_of(SpaceNotFound("-", field="y"), "x") == "y"
    assert field_of(VersionExpired("-", field="y.version"), "x") == "y.version"
    assert field_of(ItemNotFound("-"), "x") is None
    assert field_of(SpaceNotFound("-"), "") is None
