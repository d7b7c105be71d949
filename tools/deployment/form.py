"""Checks of the form: its fields, and the template with its outputs."""

import re

from evaluate_template import parse

from deployment.filled_in import filled_in
from deployment.options import WORKSPACE, WORKSPACE_ID, json_of

NUMBERS = ("lookbackHours", "windowMinutes", "windowDelaySeconds", "alertLagMinutes", "requestsPerMinute", "throttleBackoffSeconds", "runTimeLimitSeconds")
# Values that each validated field accepts and rejects; `numbers` tests every number.
FIELDS = {
    ("basics", "functionName"): (["CiscoDuo", "duo2"], ["", "2duo", "cisco-duo", "CiscoDuoSentinel"]),
    ("duo", "integrationKey"): (["DIFAKEFAKEFAKEFAKE01"], ["", "DIFAKE", "fakefakefakefakefakefakefakefakefakefake"]),
    ("duo", "secretKey"): (["fakefakefakefakefakefakefakefakefakefake"], ["", "DIFAKEFAKEFAKEFAKE01"]),
    ("duo", "apiHostname"): (
        ["api-00000000.duosecurity.com", "api-1a2B3c.duofederal.com"],
        ["", "https://api-00000000.duosecurity.com", "admin-00000000.duosecurity.com", "api-00000000.example.com"],
    ),
    ("sentinel", "workspaceId"): ([WORKSPACE_ID], ["", "sentinel", WORKSPACE]),
    ("sentinel", "sharedKey"): (["A" * 86 + "=="], ["", "A" * 86, WORKSPACE_ID]),
    ("sentinel", "ruleName"): (["dcr-ciscoduo"], ["", "-rule", "a rule"]),
    ("sentinel", "transform"): (["source", "source | extend a_g = toguid(a_g)"], ["", "CiscoDuo_CL"]),
    ("content", "alertEmail"): (["", "someone@example.com"], ["someone", "one@example.com, two@example.com"]),
    ("advanced", "packageUri"): (
        [
            "https://example.invalid/released-package.zip",
            "https://example.invalid/1.2.3/released-package.zip",
            f"https://raw.githubusercontent.com/some-owner/main-repository/{'0123456789' * 4}/released-package.zip",
        ],
        [
            "",
            "http://example.invalid/released-package.zip",
            "https://released-package.zip",
            "https:///released-package.zip",
            "https://example.invalid/package.zip",
            "https://example.invalid/not-released-package.zip",
            "https://example.invalid/released-package.zip.txt",
            "https://example.invalid/released-package_zip",
            "https://example.invalid/released-package.zip?sv=2024&sig=key",
            "https://example.invalid/?file=/released-package.zip",
            "https://example.invalid/#/released-package.zip",
            "https://user:key@example.invalid/released-package.zip",
            "https://example.invalid/some folder/released-package.zip",
            "https://github.com/some-owner/some.repository/releases/latest/download/released-package.zip",
            "https://raw.githubusercontent.com/some-owner/some.repository/main/released-package.zip",
            "https://raw.githubusercontent.com/some-owner/some.repository/master/released-package.zip",
            "https://raw.githubusercontent.com/some-owner/some.repository/refs/heads/1.0/released-package.zip",
        ],
    ),
    ("advanced", "logAnalyticsUri"): (
        ["", f"https://{WORKSPACE_ID}.ods.opinsights.azure.us"],
        ["https://example.com", f"http://{WORKSPACE_ID}.ods.opinsights.azure.us"],
    ),
    ("advanced", "startTime"): (["", "2026-11-22T12:00:00Z", "authentication=1763812800,activity=1763812800000"], ["one day ago"]),
    **{("advanced", name): ([], ["", "-1", "1.5", "01", "1 ", "a"]) for name in NUMBERS},
}

# Fields that control others, and the parameter of each.
DECIDING = {
    ("sentinel", "ingestionApi"): "IngestionApi",
    ("sentinel", "workspace"): "WorkspaceResourceId",
    ("advanced", "plan"): "HostingPlan",
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


def numbers(definition, template, elements):
    """A field for a number accepts exactly what its parameter accepts."""
    for name, about in template["parameters"].items():
        if "minValue" in about:
            (key,) = re.findall(r"steps\('(\w+)'\)\.(\w+)", definition["outputs"][name])
            least, most = about["minValue"], about["maxValue"]
            field = re.compile(pattern(elements[key]))
            wrong = [each for each in range(most + 1000) if bool(field.search(str(each))) is not (least <= each <= most)]
            assert not wrong and not field.search(str(most * 10)), f"{key}: {wrong[:9]}, but {name} takes {least} to {most}"
            messages = [each["message"] for each in elements[key]["constraints"]["validations"]]
            assert messages == [f"{least} to {most}."], f"{key}: {messages}"


def choices(elements, template):
    """The default of a choice exists; for logs, all are selected by default, and each is a log."""
    for key, element in elements.items():
        labels = [each["label"] for each in element.get("constraints", {}).get("allowedValues", [])]
        proposed = element.get("defaultValue")
        assert not labels or set(proposed if isinstance(proposed, list) else [proposed]) <= set(labels), key
    logs = elements["duo", "logTypes"]
    every = template["parameters"]["CiscoDuoLogTypes"]["defaultValue"].split(",")
    assert logs["multiselect"] is logs["constraints"]["required"] is True
    # Labels equal values, because the published documentation uses either for defaults.
    assert logs["constraints"]["allowedValues"] == [{"label": each, "value": each} for each in every]
    assert logs["defaultValue"] == every
    # The text refers to an option by its label.
    create = next(each["label"] for each in elements["sentinel", "table"]["constraints"]["allowedValues"] if each["value"] == "create")
    assert create in elements["sentinel", "migrate"]["options"]["text"], f"the text does not name the option {create!r}"


def form(file, template):
    """The form sets every parameter, and only to values that the template accepts."""
    definition = json_of(file)["parameters"]
    assert list(definition["outputs"]) == list(template["parameters"])
    elements = {("basics", each["name"]): each for each in definition["basics"]}
    for step in definition["steps"]:
        elements.update({(step["name"], each["name"]): each for each in step["elements"]})
    fields(elements)
    numbers(definition, template, elements)
    choices(elements, template)
    used = set()
    for name, output in definition["outputs"].items():
        about = template["parameters"][name]
        found = [("basics", each) for each in re.findall(r"basics\('(\w+)'\)", output)]
        found += re.findall(r"steps\('(\w+)'\)\.(\w+)", output)
        used |= set(found)
        for key in found:
            assert key in elements, f"{name}: the form has no {key}"
            # A controlling field belongs to another output.
            if key in DECIDING and DECIDING[key] != name:
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
    filled_in(template, definition, elements)
    unused = [key for key, each in elements.items() if each["type"] not in silent and key not in used]
    assert not unused, unused
