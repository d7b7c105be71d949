"""The sets of options for evaluating the templates, and their common values."""

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
# Resources that exist before the deployment.
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
# Values that no other set changes, once per API.
ONCE_BY_KEY = {
    "FunctionName": "Second",
    "CiscoDuoApiHostname": " api-00000000.duosecurity.com ",
    "CiscoDuoLogTypes": "activity",
    # Whitespace as when pasted.
    "MicrosoftSentinelWorkspaceId": f" {WORKSPACE_ID}\n",
    "LogAnalyticsUri": f"https://{WORKSPACE_ID}.ods.opinsights.azure.us",
    "Location": "other-region",
    "InstanceMemoryMB": 2048,
    "CiscoDuoStartTime": "2026-11-22T12:00:00Z",
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
    """Every parameter that the other sets leave unchanged, with the smallest and with the largest numbers."""
    for given, bound in ((ONCE_BY_KEY, "minValue"), (ONCE_BY_RULE, "maxValue")):
        numbers = {name: about[bound] for name, about in template["parameters"].items() if bound in about}
        yield {**BASE, **numbers, **given}


def every_value(template, given):
    """Each optional parameter gets another value than its default, and each allowed value."""
    for name, about in template["parameters"].items():
        if "defaultValue" in about:
            seen = {each.get(name, about["defaultValue"]) for each in given}
            assert len(seen) > 1 and seen >= set(about.get("allowedValues", [])), f"{name} is only given as {seen}"


def option_sets(template):
    """Each destination with each plan, with all content and with none."""
    destinations = [{"MicrosoftSentinelWorkspaceId": WORKSPACE_ID}]
    destinations.append({"MicrosoftSentinelWorkspaceId": WORKSPACE_ID, "WorkspaceResourceId": WORKSPACE})
    for table, bridge in itertools.product(("create", "keep"), ("off", "createTables", "keepTables")):
        by_rule = {"IngestionApi": "LogsIngestion", "WorkspaceResourceId": WORKSPACE, "MicrosoftSentinelSharedKey": ""}
        destinations.append({**by_rule, "CiscoDuoTable": table, "Bridge": bridge})
    plans = template["parameters"]["HostingPlan"]["allowedValues"]
    for destination, plan, content, email in itertools.product(destinations, plans, (False, True), ("", "someone@example.com")):
        # Without a workspace no content can be created, although alerts are on by default.
        content_is_possible = content and "WorkspaceResourceId" in destination
        contents = {name: content_is_possible for name in ("SaveFunctionCiscoDuo", "CreateWorkbook", "CreateAnalyticRules")}
        yield {**BASE, **destination, "HostingPlan": plan, **contents, "CreateAlerts": content, "AlertEmail": email}
    yield from once(template)
