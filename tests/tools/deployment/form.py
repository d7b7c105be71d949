"""What must hold of a form: its fields, and what a template makes of what was filled in."""

import re

from evaluate_template import parse

from deployment.options import CLOUDS, SECRETS, WORKSPACE, WORKSPACE_ID, json_of
from deployment.values import check

# What each validated field of the form takes, and what it refuses.
FIELDS = {
    ("basics", "functionName"): (["CiscoDuo", "duo2"], ["", "2duo", "cisco-duo", "CiscoDuoSentinel"]),
    ("duo", "integrationKey"): (["DIFAKEFAKEFAKEFAKE01"], ["", "DIFAKE", "fakefakefakefakefakefakefakefakefakefake"]),
    ("duo", "secretKey"): (["fakefakefakefakefakefakefakefakefakefake"], ["", "DIFAKEFAKEFAKEFAKE01"]),
    ("duo", "apiHostname"): (
        ["api-00000000.duosecurity.com", "api-1a2B3c.duofederal.com"],
        ["", "https://api-00000000.duosecurity.com", "admin-00000000.duosecurity.com", "api-00000000.example.com"],
    ),
    ("duo", "logTypes"): (["authentication", "activity,trust_monitor"], ["", "authn", "authentication, activity", "activity,"]),
    ("sentinel", "workspaceId"): ([WORKSPACE_ID], ["", "sentinel", WORKSPACE]),
    ("sentinel", "sharedKey"): (["A" * 86 + "=="], ["", "A" * 86, WORKSPACE_ID]),
    ("sentinel", "ruleName"): (["dcr-ciscoduo"], ["", "-rule", "a rule"]),
    ("sentinel", "transform"): (["source", "source | extend a_g = toguid(a_g)"], ["", "CiscoDuo_CL"]),
    ("content", "alertEmail"): (["", "someone@example.com"], ["someone", "one@example.com, two@example.com"]),
    ("advanced", "packageUri"): (["https://example.invalid/released-package.zip"], ["", "http://example.invalid/released-package.zip"]),
    ("advanced", "logAnalyticsUri"): (
        ["", f"https://{WORKSPACE_ID}.ods.opinsights.azure.us"],
        ["https://example.com", f"http://{WORKSPACE_ID}.ods.opinsights.azure.us"],
    ),
    ("advanced", "start"): (["", "2026-11-22T12:00:00Z", "authentication=1763812800,activity=1763812800000"], ["one day ago"]),
    ("advanced", "lookbackHours"): (["1", "24", "4296"], ["", "0", "4297", "5000", "1.5"]),
    ("advanced", "windowMinutes"): (["1", "60"], ["", "0", "-1"]),
    ("advanced", "settleSeconds"): (["120", "180", "9999"], ["", "0", "119", "60"]),
    ("advanced", "callsPerMinute"): (["0", "10"], ["", "-1"]),
    ("advanced", "parkSeconds"): (["1", "60"], ["", "0"]),
    ("advanced", "runSeconds"): (["1", "50"], ["", "0"]),
}


def pattern(element):
    constraints = element.get("constraints", {})
    return constraints.get("regex") or next((each["regex"] for each in constraints.get("validations", [])), None)


def fields(elements):
    validated = {key for key, each in elements.items() if pattern(each)}
    assert validated == set(FIELDS), validated ^ set(FIELDS)
    for key, (good, bad) in FIELDS.items():
        for values, taken in ((good, True), (bad, False)):
            for value in values:
                assert bool(re.search(pattern(elements[key]), value)) is taken, f"{key}: {value!r}"


class Form:
    """What the form gives for what somebody chose; the rest as the form proposes it."""

    def __init__(self, elements, chosen):
        self.chosen = {}
        for (step, name), element in elements.items():
            proposed = element.get("defaultValue")
            for choice in element.get("constraints", {}).get("allowedValues", []):
                if choice["label"] == proposed:
                    proposed = choice["value"]
            # Azure gives nothing for a field that is not shown or not filled in.
            self.chosen.setdefault(step, {})[name] = chosen.get((step, name), proposed)

    def run(self, tree):
        if tree[0] == "value":
            return tree[1]
        if tree[0] == "member":
            return self.run(tree[1])[tree[2]]
        _, name, arguments = tree
        if name == "if":
            return self.run(arguments[1] if self.run(arguments[0]) else arguments[2])
        values = [self.run(argument) for argument in arguments]
        if name == "steps":
            return self.chosen[values[0]]
        if name == "basics":
            return self.chosen["basics"][values[0]]
        if name == "bool":
            return {"true": True, "false": False}[values[0]]
        known = {"location": lambda: "app-region", "equals": lambda one, other: one == other, "int": int}
        return known[name](*values)

    def given(self, outputs):
        return {name: self.run(parse(output[1:-1])) for name, output in outputs.items()}


def filled_in(template, definition, elements, package):
    """The form, filled in for either API, makes what must be made."""
    filled = {
        ("duo", "integrationKey"): SECRETS["CiscoDuoIntegrationKey"],
        ("duo", "secretKey"): SECRETS["CiscoDuoSecretKey"],
        ("duo", "apiHostname"): "api-00000000.duosecurity.com",
        ("sentinel", "workspace"): {"id": WORKSPACE, "location": "workspace-region"},
    }
    if package is None:
        filled["advanced", "packageUri"] = "https://example.invalid/1/released-package.zip"
    proposed = Form(elements, filled).given(definition["outputs"])
    assert package in (None, proposed["PackageUri"]), "the form proposes another package"
    assert proposed["IngestionApi"] == "LogsIngestion" and proposed["CiscoDuoTable"] == "keep"
    assert proposed["CreateAnalyticRules"] is False
    by_key = {
        **filled,
        ("sentinel", "ingestionApi"): "DataCollector",
        ("sentinel", "workspaceId"): WORKSPACE_ID,
        ("sentinel", "sharedKey"): SECRETS["MicrosoftSentinelSharedKey"],
    }
    for given in (proposed, Form(elements, by_key).given(definition["outputs"])):
        for cloud in CLOUDS:
            check(template, given, cloud)
    # What the form proposes is what the template takes where nothing is said, but for what the form asks for.
    asked = {"IngestionApi", "SaveFunctionCiscoDuo", "CreateWorkbook", "WorkspaceResourceId", "Location"}
    for name, about in template["parameters"].items():
        if "defaultValue" in about and name not in asked:
            assert proposed[name] == about["defaultValue"], f"{name}: the form proposes {proposed[name]!r}"


def form(file, template, package=None):
    """The form gives every parameter, and only values that the template takes; with `package` it proposes that one."""
    definition = json_of(file)["parameters"]
    assert list(definition["outputs"]) == list(template["parameters"])
    elements = {("basics", each["name"]): each for each in definition["basics"]}
    for step in definition["steps"]:
        elements.update({(step["name"], each["name"]): each for each in step["elements"]})
    fields(elements)
    used = set()
    for name, output in definition["outputs"].items():
        about = template["parameters"][name]
        found = [("basics", each) for each in re.findall(r"basics\('(\w+)'\)", output)]
        found += re.findall(r"steps\('(\w+)'\)\.(\w+)", output)
        used |= set(found)
        for key in found:
            assert key in elements, f"{name}: the form has no {key}"
            if key == ("sentinel", "ingestionApi") and name != "IngestionApi":
                continue
            values = [each["value"] for each in elements[key].get("constraints", {}).get("allowedValues", [])]
            if about["type"] == "int":
                values = [int(value) for value in values]
            assert not values or "allowedValues" not in about or set(values) == set(about["allowedValues"]), name
            if about["type"] == "securestring":
                assert elements[key]["type"] == "Microsoft.Common.PasswordBox", name
        if about["type"] in ("int", "bool"):
            assert output.startswith(f"[{about['type']}("), name
    silent = {"Microsoft.Common.InfoBox", "Microsoft.Common.TextBlock"}
    filled_in(template, definition, elements, package)
    unused = [key for key, each in elements.items() if each["type"] not in silent and key not in used]
    assert not unused, unused
