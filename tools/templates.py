"""Writes the parts of the deployment template that come from other files; `--check` only compares.

sentinel/content.json   from sentinel/functions, rules and workbooks
sentinel/alerts.json    from sentinel/alerts
azuredeploy.json        its lines "template": these two, and sentinel/data-collection-rule.json

Needs PyYAML. Run in the folder of the repository: python tools/templates.py [--check]
"""

import glob
import json
import pathlib
import re
import sys

import yaml

WIDTH = 140


def written(value, indent=0):
    """JSON with values on one line if they fit; nested templates are always on one line."""
    one_line = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, (dict, list)) or not value or len(one_line) + indent <= WIDTH - 1:
        return one_line
    inner = " " * (indent + 2)
    if isinstance(value, list):
        parts = [inner + written(each, indent + 2) for each in value]
        return "[\n" + ",\n".join(parts) + "\n" + " " * indent + "]"
    parts = []
    for key, each in value.items():
        if key == "template":
            text = json.dumps(each, ensure_ascii=False, separators=(",", ":"))
        else:
            text = written(each, indent + 2)
        parts.append(f"{inner}{json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(parts) + "\n" + " " * indent + "}"


SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"


def definition(file):
    with open(file, encoding="utf-8") as text:
        return yaml.safe_load(text)


def duration(short):
    """15m, 1h, 2d as ISO 8601."""
    count, unit = re.fullmatch(r"(\d+)([mhd])", short).groups()
    return f"P{count}D" if unit == "d" else f"PT{count}{unit.upper()}"


def literal(value):
    """Escapes a text that starts with [, which would be an expression."""
    return "[" + value if value.startswith("[") else value


def parameter(kind, description, **default):
    return {"type": kind, **default, "metadata": {"description": description}}


OPERATORS = {"gt": "GreaterThan", "lt": "LessThan", "eq": "Equal", "ne": "NotEqual"}


def text_of(file):
    try:
        with open(file, encoding="utf-8") as text:
            return text.read()
    except FileNotFoundError:
        return ""


def rule(source):
    properties = {
        "displayName": source["name"],
        "description": " ".join(source["description"].split()),
        "severity": source["severity"],
        "enabled": True,
        "query": literal(source["query"]),
        "queryFrequency": duration(source["queryFrequency"]),
        "queryPeriod": duration(source["queryPeriod"]),
        "triggerOperator": OPERATORS[source["triggerOperator"]],
        "triggerThreshold": source["triggerThreshold"],
        "suppressionDuration": "PT1H",
        "suppressionEnabled": False,
        "tactics": source["tactics"],
        # The field accepts techniques, not sub-techniques.
        "techniques": sorted({technique.split(".")[0] for technique in source["relevantTechniques"]}),
        "entityMappings": source["entityMappings"],
    }
    for optional in ("eventGroupingSettings", "customDetails", "alertDetailsOverride"):
        if optional in source:
            properties[optional] = source[optional]
    return {
        "condition": "[parameters('rules')]",
        "type": "Microsoft.SecurityInsights/alertRules",
        "apiVersion": "2024-09-01",
        "scope": "[concat('Microsoft.OperationalInsights/workspaces/', parameters('workspaceName'))]",
        "name": source["id"],
        "kind": "Scheduled",
        "dependsOn": [
            "[resourceId('Microsoft.OperationalInsights/workspaces/savedSearches', parameters('workspaceName'), 'CiscoDuo')]"
        ],
        "properties": properties,
    }


def function(file):
    source = definition(file)
    alias = source["FunctionAlias"]
    parameters = {"functionParameters": source["FunctionParameters"]} if "FunctionParameters" in source else {}
    return {
        "condition": "[parameters('function')]",
        "type": "Microsoft.OperationalInsights/workspaces/savedSearches",
        "apiVersion": "2023-09-01",
        "name": f"[concat(parameters('workspaceName'), '/{alias}')]",
        "properties": {
            # Without it Azure refuses to replace an existing function, and every second deployment would fail.
            # Reportedly it has no effect outside the properties, where the type defines it.
            "etag": "*",
            "category": source["Category"],
            "displayName": source["Function"]["Title"],
            "functionAlias": alias,
            **parameters,
            "query": literal(source["FunctionQuery"]),
            "version": 2,
        },
    }


def content():
    workbook = json.loads(text_of("sentinel/workbooks/CiscoDuo.json"))
    resources = [
        function("sentinel/functions/CiscoDuo.yaml"),
        function("sentinel/functions/CiscoDuoCoverage.yaml"),
        {
            "condition": "[parameters('workbook')]",
            "type": "Microsoft.Insights/workbooks",
            "apiVersion": "2022-04-01",
            "name": "[guid(variables('workspace'), 'CiscoDuo')]",
            "location": "[parameters('location')]",
            "kind": "shared",
            "properties": {
                "displayName": "Cisco Duo",
                "category": "sentinel",
                "sourceId": "[variables('workspace')]",
                "serializedData": json.dumps(workbook, ensure_ascii=False, separators=(",", ":")),
            },
        },
    ]
    resources += [rule(definition(file)) for file in sorted(glob.glob("sentinel/rules/*.yaml"))]
    return {
        "$schema": SCHEMA,
        "contentVersion": "1.0.0.0",
        "parameters": {
            "workspaceName": parameter("string", "Log Analytics workspace with Microsoft Sentinel."),
            "location": parameter("string", "Region of the workspace.", defaultValue="[resourceGroup().location]"),
            "function": parameter("bool", "Whether to save the functions CiscoDuo and CiscoDuoCoverage.", defaultValue=True),
            "workbook": parameter("bool", "Whether to create the workbook.", defaultValue=True),
            "rules": parameter(
                "bool",
                "Whether to create the analytic rules. Microsoft Sentinel refuses a rule whose table or function does not exist.",
                defaultValue=False,
            ),
        },
        "variables": {
            "workspace": "[resourceId('Microsoft.OperationalInsights/workspaces', parameters('workspaceName'))]"
        },
        "resources": resources,
    }


def nested(template, begin):
    (found,) = [
        resource
        for resource in template["resources"]
        if resource["type"] == "Microsoft.Resources/deployments" and begin in resource["name"]
    ]
    return found


def main_template(of_content, of_alerts):
    template = json.loads(text_of("azuredeploy.json"))
    of_rule = json.loads(text_of("sentinel/data-collection-rule.json"))
    nested(template, "cisco-duo-rule")["properties"]["template"] = of_rule
    nested(template, "cisco-duo-content")["properties"]["template"] = of_content
    nested(template, "cisco-duo-alerts")["properties"]["template"] = of_alerts
    return template


# The parameters of alerts: prefix, value and suffix in a query, and the original text that is replaced.
VALUES = {
    "apiHostname": ('"', "variables('apiHostname')", '"', '""'),
    "longestLagMinutes": ("", "parameters('longestLagMinutes')", "", "60"),
    "deployedAt": ("datetime(", "parameters('deployedAt')", ")", "datetime(2026-01-01T00:00:00Z)"),
}


def with_values(query, names):
    """The query as an expression in which parameter values replace the original ones."""
    quoted = query.replace("'", "''")
    for name, parameter in names.items():
        before, value, behind, own = VALUES[parameter]
        line = f"let {name} = {own};\n"
        assert quoted.count(line) == 1, f"{line!r} is not one line of the query"
        quoted = quoted.replace(line, f"let {name} = {before}', {value}, '{behind};\n")
    return f"[concat('{quoted}')]"


def alert(file):
    source, stem = definition(file), pathlib.Path(file).stem
    return {
        "type": "Microsoft.Insights/scheduledQueryRules",
        "apiVersion": "2023-12-01",
        "name": f"[concat(parameters('prefix'), '-{stem}')]",
        "location": "[parameters('location')]",
        "properties": {
            "displayName": source["name"],
            "description": " ".join(source["description"].split()),
            "severity": source["severity"],
            "enabled": True,
            "scopes": ["[variables('workspace')]"],
            "evaluationFrequency": duration(source["queryFrequency"]),
            "windowSize": duration(source["queryPeriod"]),
            "autoMitigate": source["autoMitigate"],
            # The table may not exist yet: the Data Collector API creates it with the first row.
            "skipQueryValidation": True,
            "criteria": {
                "allOf": [
                    {
                        "query": with_values(source["query"], source["parameters"]),
                        "timeAggregation": "Count",
                        "dimensions": [{"name": each, "operator": "Include", "values": ["*"]} for each in source["dimensions"]],
                        "operator": "GreaterThan",
                        "threshold": 0,
                        "failingPeriods": {"numberOfEvaluationPeriods": 1, "minFailingPeriodsToAlert": 1},
                    }
                ]
            },
            "actions": {
                "actionGroups": "[if(empty(parameters('actionGroupId')), variables('noActionGroups'), createArray(parameters('actionGroupId')))]"
            },
        },
    }


def alerts():
    return {
        "$schema": SCHEMA,
        "contentVersion": "1.0.0.0",
        "parameters": {
            "workspaceName": parameter("string", "Log Analytics workspace with the table CiscoDuoHealth_CL."),
            "location": parameter("string", "Region of the workspace.", defaultValue="[resourceGroup().location]"),
            "prefix": parameter("string", "Prefix of the names of the alert rules.", defaultValue="ciscoduo"),
            "apiHostname": parameter(
                "string",
                "API hostname of the Duo account that the alerts cover. If empty, the alerts cover every account in the workspace.",
                defaultValue="",
            ),
            "longestLagMinutes": parameter(
                "int", "Lag of a log, in minutes, above which an alert fires.", defaultValue=60, minValue=15, maxValue=1440
            ),
            "actionGroupId": parameter(
                "string", "Resource ID of the action group to notify. If empty, alerts are visible in the portal only.", defaultValue=""
            ),
            "deployedAt": parameter(
                "string",
                "Time of the deployment (UTC). Keep the default. If no row has arrived yet, the no-heartbeat alert does not fire for one hour.",
                defaultValue="[utcNow('yyyy-MM-ddTHH:mm:ssZ')]",
            ),
        },
        "variables": {
            "workspace": "[resourceId('Microsoft.OperationalInsights/workspaces', parameters('workspaceName'))]",
            # The queries put it in quotes.
            "apiHostname": "[toLower(trim(replace(replace(parameters('apiHostname'), '\"', ''), '\\', '')))]",
            "noActionGroups": [],
        },
        "resources": [alert(file) for file in sorted(glob.glob("sentinel/alerts/*.yaml"))],
    }


def main():
    of_content, of_alerts = content(), alerts()
    files = {
        "sentinel/content.json": of_content,
        "sentinel/alerts.json": of_alerts,
        "azuredeploy.json": main_template(of_content, of_alerts),
        "createUiDefinition.json": json.loads(text_of("createUiDefinition.json")),
    }
    stale = []
    for file, value in files.items():
        expected = written(value) + "\n"
        if text_of(file) == expected:
            continue
        if "--check" in sys.argv[1:]:
            stale.append(file)
        else:
            with open(file, "w", encoding="utf-8", newline="\n") as text:
                text.write(expected)
    for file in stale:
        print(f"{file} is not up to date: python tools/templates.py", file=sys.stderr)
    sys.exit(1 if stale else 0)


main()
