"""Each deployed resource has an existing type and version, and only properties of that version."""

import pathlib

from deployment.options import json_of

INDEX = json_of(pathlib.Path(__file__).resolve().parent.parent / "resource-types.json")["types"]
# Properties of every type.
OF_EVERY_RESOURCE = {"type", "apiVersion", "id", "scope"}


def names(value, path, known):
    """Checks the names of an object and its members. No type uses a name in two cases."""
    if isinstance(value, list):
        for each in value:
            names(each, f"{path}[]", known)
    elif isinstance(value, dict):
        assert path in known, f"{path or 'the resource'}: not in resource-types.json"
        if known[path] is None:
            return
        for name, each in value.items():
            assert name in known[path], f"{path}.{name} does not exist"
            names(each, f"{path}.{name}".lstrip("."), known)


def check(resource):
    kind = f"{resource['type']}@{resource['apiVersion']}"
    assert kind in INDEX, f"{kind}: not in resource-types.json"
    written = {name: each for name, each in resource.items() if name not in OF_EVERY_RESOURCE}
    names(written, "", INDEX[kind])
