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


def option_sets(template):
    """Names and parameters of every set of options."""
    base = {
        **SECRETS,
        "CiscoDuoApiHostname": "api-00000000.duosecurity.com",
        "PackageUri": "https://example.invalid/1/released-package.zip",
    }
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
        contents = [(False, False, False)]
        if "WorkspaceResourceId" in road:
            contents = itertools.product((False, True), repeat=3)
        for (function, workbook, rules), email in itertools.product(contents, ("", "someone@example.com")):
            given = {"SaveFunctionCiscoDuo": function, "CreateWorkbook": workbook, "CreateAnalyticRules": rules, "AlertEmail": email}
            yield {**base, **road, **plan, **given}
