"""The sets of options that the templates are evaluated with, and what they all share."""

import itertools
import json

WORKSPACE = "/subscriptions/W/resourceGroups/sentinel-group/providers/Microsoft.OperationalInsights/workspaces/sentinel"
WORKSPACE_ID = "11111111-2222-3333-4444-555555555555"
SECRETS = {
    "CiscoDuoIntegrationKey": "DIFAKEFAKEFAKEFAKE01",
    "CiscoDuoSecretKey": "fakefakefakefakefakefakefakefakefakefake",
    "MicrosoftSentinelSharedKey": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYX",
}
CLOUDS = {"AzureCloud": ("public", "com"), "AzureUSGovernment": ("usgov", "us"), "AzureChinaCloud": ("china", "cn")}
# What is there before the deployment.
KNOWN = {WORKSPACE.lower(): {"location": "workspace-region", "properties": {}}}


def json_of(file):
    with open(file, encoding="utf-8") as text:
        return json.load(text)


def texts(value):
    if isinstance(value, dict):
        for name, each in value.items():
            yield name
            yield from texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts(each)
    elif isinstance(value, str):
        yield value


BASE = {
    **SECRETS,
    "CiscoDuoApiHostname": "api-00000000.duosecurity.com",
    "PackageUri": "https://example.invalid/1/released-package.zip",
}
# What no other set changes, once in either API.
ONCE_BY_KEY = {
    "FunctionName": "Second",
    "CiscoDuoApiHostname": " api-00000000.duosecurity.com ",
    "CiscoDuoLogTypes": "activity",
    # Blanks come along when it is pasted.
    "MicrosoftSentinelWorkspaceId": f" {WORKSPACE_ID}\n",
    "LogAnalyticsUri": f"https://{WORKSPACE_ID}.ods.opinsights.azure.us",
    "Location": "other-region",
    "InstanceMemoryMB": 2048,
    "CiscoDuoStart": "2026-11-22T12:00:00Z",
    "CiscoDuoTimeGenerated": "event",
    "CiscoDuoHealth": "off",
    "CiscoDuoSignature": "v2",
    "WorkspaceResourceId": WORKSPACE,
}
ONCE_BY_RULE = {
    "IngestionApi": "LogsIngestion",
    "WorkspaceResourceId": WORKSPACE,
    "MicrosoftSentinelSharedKey": "",
    "TransformKql": "source | extend a_g = toguid(a_g)",
    "CiscoDuoHealthTable": "keep",
    "DataCollectionRuleName": "dcr-second",
    "InstanceMemoryMB": 4096,
    "LogsIngestionGzip": "off",
}


def once(template):
    """Every parameter that the other sets leave alone, with the least and with the greatest numbers that are taken."""
    for given, bound in ((ONCE_BY_KEY, "minValue"), (ONCE_BY_RULE, "maxValue")):
        numbers = {name: about[bound] for name, about in template["parameters"].items() if bound in about}
        known = {name: value for name, value in given.items() if name in template["parameters"]}
        yield {**BASE, **numbers, **known}


def every_value(template, given):
    """Each parameter that may be left out is given another value than its default, and each allowed value is given."""
    for name, about in template["parameters"].items():
        if "defaultValue" in about:
            seen = {each.get(name, about["defaultValue"]) for each in given}
            assert len(seen) > 1 and seen >= set(about.get("allowedValues", [])), f"{name} is only given as {seen}"


def option_sets(template):
    """Names and parameters of every set of options."""
    roads = []
    for with_workspace in (False, True):
        roads.append({"MicrosoftSentinelWorkspaceId": WORKSPACE_ID, **({"WorkspaceResourceId": WORKSPACE} if with_workspace else {})})
    for table, bridge in itertools.product(("create", "keep"), ("off", "createTables", "keepTables")):
        roads.append(
            {
                "IngestionApi": "LogsIngestion",
                "WorkspaceResourceId": WORKSPACE,
                "CiscoDuoTable": table,
                "Bridge": bridge,
                "MicrosoftSentinelSharedKey": "",
            }
        )
    plans = [{}]
    if "HostingPlan" in template["parameters"]:
        plans = [{"HostingPlan": plan} for plan in template["parameters"]["HostingPlan"]["allowedValues"]]
    for road, plan in itertools.product(roads, plans):
        # Without a workspace there is nothing to make them in, though the alerts are asked for: they are by default.
        contents = [(False, False, False, True)]
        if "WorkspaceResourceId" in road:
            contents = itertools.product((False, True), repeat=4)
        for (function, workbook, rules, alerts), email in itertools.product(contents, ("", "someone@example.com")):
            given = {"SaveFunctionCiscoDuo": function, "CreateWorkbook": workbook, "CreateAnalyticRules": rules}
            given |= {"CreateAlerts": alerts, "AlertEmail": email}
            yield {**BASE, **road, **plan, **given}
    yield from once(template)
