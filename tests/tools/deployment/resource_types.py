"""Each resource of a template is of a type and version that exists, and writes only names that this version knows."""

import pathlib

from deployment.options import json_of

INDEX = json_of(pathlib.Path(__file__).resolve().parent.parent / "resource-types.json")["types"]
# What every resource may have, whatever its type.
OF_EVERY_RESOURCE = {"type", "apiVersion", "name", "condition", "dependsOn", "scope"}
OF_DEPLOYMENTS = {"subscriptionId", "resourceGroup"}


def every(resources):
    for resource in resources:
        yield resource
        yield from every(resource.get("resources", []))
        if resource["type"] == "Microsoft.Resources/deployments":
            yield from every(resource["properties"]["template"]["resources"])


def names(value, path, known):
    """Holds the names of an object, and of what is in it, against the known ones. No type uses a name in two cases."""
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


def check(template):
    count = 0
    for resource in every(template["resources"]):
        kind, version = resource["type"], resource["apiVersion"]
        assert kind in INDEX, f"{kind}: not in resource-types.json"
        assert version in INDEX[kind]["versions"], f"{kind} has no version {version}"
        assert version in INDEX[kind]["names"], f"{kind} {version}: its names are not in resource-types.json"
        written = {name: each for name, each in resource.items() if name not in OF_EVERY_RESOURCE}
        if kind == "Microsoft.Resources/deployments":
            properties = {name: each for name, each in resource["properties"].items() if name not in ("template", "parameters")}
            written = {**{name: each for name, each in written.items() if name not in OF_DEPLOYMENTS}, "properties": properties}
        try:
            names(written, "", INDEX[kind]["names"][version])
        except AssertionError as error:
            raise AssertionError(f"{kind} {version}: {error}") from None
        count += 1
    return count
