"""Files that no test reads: settings of the host and the editor, the examples of Terraform and Bicep.

Run in the folder of the repository: .tools/lint/bin/python tests/tools/check_syntax.py
"""

import json
import pathlib
import re

import hcl2
import jsonschema
import tree_sitter
import tree_sitter_bicep


def one_of(*values):
    return {"enum": list(values)}


def closed(required, **properties):
    """An object with these names and no other: the host passes over a name that it does not know, and so does nobody notice."""
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


LEVELS = {"type": "object", "additionalProperties": one_of("Trace", "Debug", "Information", "Warning", "Error", "Critical", "None")}
TEXT = {"type": "string"}
# Of https://learn.microsoft.com/azure/azure-functions/functions-host-json what a custom handler with a timer needs.
HOST = closed(
    ["version", "functionTimeout", "customHandler"],
    version=one_of("2.0"),
    functionTimeout={"type": "string", "pattern": r"^\d\d:\d\d:\d\d$"},
    customHandler=closed(
        ["description", "enableForwardingHttpRequest"],
        # Else the status page gets the host's own form of a request, which it does not read.
        enableForwardingHttpRequest={"const": True},
        description=closed(
            ["defaultExecutablePath"],
            defaultExecutablePath=one_of("handler"),
            workingDirectory=TEXT,
            arguments={"type": "array", "items": TEXT},
        ),
    ),
    logging=closed(
        [],
        logLevel=LEVELS,
        applicationInsights=closed([], samplingSettings=closed(["isEnabled"], isEnabled={"type": "boolean"}, excludedTypes=TEXT)),
    ),
)
# Seconds, minutes, hours, days, months, weekdays.
SCHEDULE = r"^([\d*,/-]+ ){5}[\d*,/-]+$"
FUNCTION = closed(
    ["bindings"],
    bindings={
        "type": "array",
        "minItems": 1,
        "maxItems": 1,
        "items": closed(
            ["name", "type", "direction", "schedule"],
            name=TEXT,
            type=one_of("timerTrigger"),
            direction=one_of("in"),
            schedule={"type": "string", "pattern": SCHEDULE},
        ),
    },
)
# The status page: reading only, and only with a key.
STATUS = closed(
    ["bindings"],
    bindings={
        "type": "array",
        "minItems": 2,
        "maxItems": 2,
        "prefixItems": [
            closed(
                ["name", "type", "direction", "authLevel", "methods"],
                name=TEXT,
                type=one_of("httpTrigger"),
                direction=one_of("in"),
                authLevel=one_of("function"),
                methods={"const": ["get", "head"]},
            ),
            closed(["name", "type", "direction"], name=one_of("$return"), type=one_of("http"), direction=one_of("out")),
        ],
    },
)


def text_of(file):
    return pathlib.Path(file).read_text(encoding="utf-8")


def once(pairs):
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise ValueError(f"a name stands twice: {names}")
    return dict(pairs)


def strict(text):
    """JSON without comments, in which no name stands twice."""
    return json.loads(text, object_pairs_hook=once)


def host(text):
    jsonschema.validate(strict(text), HOST)


def function(text):
    jsonschema.validate(strict(text), FUNCTION)


def status(text):
    jsonschema.validate(strict(text), STATUS)


def terraform(text):
    (resource,) = hcl2.loads(text)["resource"]
    assert "azurerm_resource_group_template_deployment" in resource


def bicep(text):
    tree = tree_sitter.Parser(tree_sitter.Language(tree_sitter_bicep.language())).parse(text.encode())
    assert not tree.root_node.has_error, "not Bicep"


def bicep_parameters(text):
    """The grammar knows no files of parameters: each value is read as that of a variable."""
    using, rest = text.split("\n", 1)
    assert using == "using 'main.bicep'"
    bicep(re.sub(r"^param (\w+) = ", r"var \1 = ", rest, flags=re.MULTILINE))
    declared = dict(re.findall(r"^param (\w+) \w+( =)?", text_of("examples/bicep/main.bicep"), re.MULTILINE))
    given = re.findall(r"^param (\w+) = ", text, re.MULTILINE)
    needed = {name for name, default in declared.items() if not default}
    assert needed <= set(given) <= set(declared) and len(set(given)) == len(given), f"parameters: {given}"


# How each file is read, and mistakes in it that must be noticed: what stands there, what is put in its place.
FILES = {
    "host.json": (host, [('"customHandler"', '"customHandlers"'), ('"handler"', '"duo-sentinel"'), ('"00:10:00"', '"10 minutes"'), ("true", "false"), ("{", "{//")]),
    "CiscoDuoTimer/function.json": (function, [("0 * * * * *", "* * * * *"), ("timerTrigger", "timer"), ('"schedule"', '"schedules"')]),
    "CiscoDuoStatus/function.json": (status, [('"function"', '"anonymous"'), ('"head"', '"post"'), ("httpTrigger", "http"), ("$return", "answer")]),
    ".vscode/extensions.json": (strict, [("]", ",]")]),
    ".vscode/settings.json": (strict, [("deploySubpath", "projectRuntime"), ("}", ",}")]),
    ".vscode/tasks.json": (strict, [("{", "{/**/")]),
    "local.settings.json.example": (strict, [("{", "{//")]),
    "examples/terraform/main.tf": (terraform, [("jsonencode(", "jsonencode"), ("}", "")]),
    "examples/bicep/main.bicep": (bicep, [("{", "["), ("'", "")]),
    "examples/bicep/main.bicepparam": (bicep_parameters, [("getSecret(", "getSecret"), ("param packageUri", "param packageUrl"), ("'", "")]),
}


def main():
    noticed = 0
    for file, (check, mistakes) in FILES.items():
        text = text_of(file)
        try:
            check(text)
        except Exception as error:
            raise AssertionError(f"{file}: {error}") from error
        for stands, instead in mistakes:
            assert stands in text, f"{file}: {stands!r} does not stand there any more"
            try:
                check(text.replace(stands, instead, 1))
            except Exception:
                noticed += 1
                continue
            raise AssertionError(f"{file}: not noticed: {instead!r} for {stands!r}")
    print(f"{len(FILES)} files can be read; {noticed} mistakes are noticed")


main()
