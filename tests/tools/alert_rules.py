"""The template of the alerts about the connector itself, made of sentinel/alerts."""

import glob
import pathlib

from template_parts import SCHEMA, definition, duration, parameter

# The parameters of alerts: how a query writes the value, and the value of its own that is replaced.
VALUES = {
    "apiHostname": ('"', "variables('apiHostname')", '"', '""'),
    "longestLagMinutes": ("", "parameters('longestLagMinutes')", "", "60"),
    "deployedAt": ("datetime(", "parameters('deployedAt')", ")", "datetime(2026-01-01T00:00:00Z)"),
}


def with_values(query, names):
    """The query as an expression that writes the values of parameters in place of its own."""
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
            # The table may not be there yet: the Data Collector API makes it with the first row.
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
                "actionGroups": "[if(empty(parameters('actionGroupId')), variables('nobody'), createArray(parameters('actionGroupId')))]"
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
            "prefix": parameter("string", "First part of the names of the alert rules.", defaultValue="ciscoduo"),
            "apiHostname": parameter("string", "API hostname of the Duo account that they tell of. Empty: of every one.", defaultValue=""),
            "longestLagMinutes": parameter(
                "int", "How many minutes a log may be behind.", defaultValue=60, minValue=15, maxValue=1440
            ),
            "actionGroupId": parameter(
                "string", "Resource ID of the action group that is told. Empty: nobody is; alerts stand in the portal.", defaultValue=""
            ),
            "deployedAt": parameter(
                "string",
                "Leave it out: when it was deployed. Before the first row ever, nothing is wrong for an hour.",
                defaultValue="[utcNow('yyyy-MM-ddTHH:mm:ssZ')]",
            ),
        },
        "variables": {
            "workspace": "[resourceId('Microsoft.OperationalInsights/workspaces', parameters('workspaceName'))]",
            # It stands between quotes in the queries.
            "apiHostname": "[toLower(trim(replace(replace(parameters('apiHostname'), '\"', ''), '\\', '')))]",
            "nobody": [],
        },
        "resources": [alert(file) for file in sorted(glob.glob("sentinel/alerts/*.yaml"))],
    }
