"""What the writers of templates share."""

import re

import yaml

SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"


def definition(file):
    with open(file, encoding="utf-8") as text:
        return yaml.safe_load(text)


def duration(short):
    """15m, 1h, 2d as ISO 8601."""
    count, unit = re.fullmatch(r"(\d+)([mhd])", short).groups()
    return f"P{count}D" if unit == "d" else f"PT{count}{unit.upper()}"


def literal(value):
    """A text that begins with [ would be an expression."""
    return "[" + value if value.startswith("[") else value


def parameter(kind, description, **default):
    return {"type": kind, **default, "metadata": {"description": description}}
