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
    "HostingPlan": "Dedicated",
    "LogsIngestionGzip": "off",
}


def once(template):
    """Every parameter that the other sets leave alone, with the least and with the greatest numbers that are taken."""
    for given, bound in ((ONCE_BY_KEY, "minValue"), (ONCE_BY_RULE, "maxValue")):
        numbers = {name: about[bound] for name, about in template["parameters"].items() if bound in about}
        yield {**BASE, **numbers, **given}


def every_value(template, given):
    """Each parameter that may be left out is given another value than its default, and each allowed value is given."""
    for name, about in template["parameters"].items():
        if "defaultValue" in about:
            seen = {each.get(name, about["defaultValue"]) for each in given}
            assert len(seen) > 1 and seen >= set(about.get("allowedValues", [])), f"{name} is only given as {seen}"


def option_sets(template):
    """Each destination with each plan, with all content and with none of it."""
    roads = [{"MicrosoftSentinelWorkspaceId": WORKSPACE_ID}]
    roads.append({"MicrosoftSentinelWorkspaceId": WORKSPACE_ID, "WorkspaceResourceId": WORKSPACE})
    for table, bridge in itertools.product(("create", "keep"), ("off", "createTables", "keepTables")):
        by_rule = {"IngestionApi": "LogsIngestion", "WorkspaceResourceId": WORKSPACE, "MicrosoftSentinelSharedKey": ""}
        roads.append({**by_rule, "CiscoDuoTable": table, "Bridge": bridge})
    plans = template["parameters"]["HostingPlan"]["allowedValues"]
    for road, plan, content, email in itertools.product(roads, plans, (False, True), ("", "someone@example.com")):
        # Without a workspace there is nothing to make content in, though the alerts are asked for: they are by default.
        content_is_possible = content and "WorkspaceResourceId" in road
        contents = {name: content_is_possible for name in ("SaveFunctionCiscoDuo", "CreateWorkbook", "CreateAnalyticRules")}
        yield {**BASE, **road, "HostingPlan": plan, **contents, "CreateAlerts": content, "AlertEmail": email}
    yield from once(template)
