"""Writes the parts of the deployment templates that stand elsewhere already; `--check` only compares.

sentinel/content.json              from sentinel/functions, rules and workbooks
sentinel/alerts.json               from sentinel/alerts
azuredeploy.json                   its lines "template": these two, and sentinel/data-collection-rule.json
azuredeploy-dedicated.json         from azuredeploy.json, for where Flex Consumption is missing
createUiDefinition-dedicated.json  from createUiDefinition.json, for the same

Needs PyYAML. Run in the folder of the repository: python tests/tools/templates.py [--check]
"""

import copy
import glob
import json
import pathlib
import sys

from alert_rules import alerts
from template_parts import SCHEMA, definition, duration, literal, parameter

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "package"))
from layout import written

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
        # The field takes techniques, not their parts.
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
            # Without it Azure refuses to replace a function that is there, and every second deployment would fail.
            # Beside the properties, where the type has it, it is said not to work.
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
            "workbook": parameter("bool", "Whether to make the workbook.", defaultValue=True),
            "rules": parameter(
                "bool",
                "Whether to make the analytic rules. Microsoft Sentinel refuses a rule whose table or function does not exist yet.",
                defaultValue=False,
            ),
        },
        "variables": {
            "workspace": "[resourceId('Microsoft.OperationalInsights/workspaces', parameters('workspaceName'))]"
        },
        "resources": resources,
    }


def of_type(template, kind):
    (found,) = [resource for resource in template["resources"] if resource["type"] == kind]
    return found


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


# A package of its own lies in the app's files. Those of a Dedicated app come with the plan; Elastic Premium keeps them in a
# file share, which takes no identity, and this storage account takes no keys.
PACKAGE_IS = (
    "Dedicated: the deployment puts the package into the app, which needs its address no more. ElasticPremium, which has no file "
    "share here because a share takes keys only: the app fetches the package from its address at every start, so the address has "
    "to stay."
)


def dedicated(flex):
    """The same on a plan that every cloud has."""
    template = copy.deepcopy(flex)
    parameters = {}
    for name, each in template["parameters"].items():
        if name == "InstanceMemoryMB":
            parameters["HostingPlan"] = {
                "type": "string",
                "defaultValue": "Dedicated",
                "allowedValues": ["Dedicated", "ElasticPremium"],
                "metadata": {"description": f"Dedicated: one instance of B1, always on. ElasticPremium: EP1. {PACKAGE_IS}"},
            }
        else:
            parameters[name] = each
    template["parameters"] = parameters
    is_dedicated = "equals(parameters('HostingPlan'), 'Dedicated')"
    plan = of_type(template, "Microsoft.Web/serverfarms")
    plan["kind"] = f"[if({is_dedicated}, 'linux', 'elastic')]"
    plan["sku"] = {
        "name": f"[if({is_dedicated}, 'B1', 'EP1')]",
        "tier": f"[if({is_dedicated}, 'Basic', 'ElasticPremium')]",
    }
    site = of_type(template, "Microsoft.Web/sites")
    properties = site["properties"]
    del properties["functionAppConfig"]
    site_config = properties["siteConfig"]
    properties["siteConfig"] = {
        "linuxFxVersion": "",
        "alwaysOn": f"[{is_dedicated}]",
        "ftpsState": "Disabled",
        "http20Enabled": True,
        **site_config,
    }
    site_config["appSettings"][:0] = [
        {"name": "FUNCTIONS_EXTENSION_VERSION", "value": "~4"},
        {"name": "FUNCTIONS_WORKER_RUNTIME", "value": "custom"},
        {"name": "WEBSITE_RUN_FROM_PACKAGE", "value": f"[if({is_dedicated}, '1', parameters('PackageUri'))]"},
    ]
    package = "'app-package'"
    site["dependsOn"] = [each for each in site["dependsOn"] if package not in each]
    template["resources"] = [resource for resource in template["resources"] if "/app-package" not in resource["name"]]
    extension = of_type(template, "Microsoft.Web/sites/extensions")
    put = {
        "condition": f"[{is_dedicated}]",
        "type": extension["type"],
        "apiVersion": extension["apiVersion"],
        "name": "[concat(variables('app'), '/ZipDeploy')]",
        "dependsOn": extension["dependsOn"],
        "properties": {"packageUri": "[parameters('PackageUri')]"},
    }
    template["resources"] = [put if resource is extension else resource for resource in template["resources"]]
    return template


def dedicated_form(flex):
    """The form with the plan in place of the memory."""
    form = copy.deepcopy(flex)
    (advanced,) = [step for step in form["parameters"]["steps"] if step["name"] == "advanced"]
    plans = [
        {"label": "Dedicated: one instance of B1, always on", "value": "Dedicated"},
        {"label": "Elastic Premium: EP1", "value": "ElasticPremium"},
    ]
    plan = {
        "name": "plan",
        "type": "Microsoft.Common.DropDown",
        "label": "Hosting plan",
        "defaultValue": plans[0]["label"],
        "toolTip": f"Both cost their price whether used or not. {PACKAGE_IS}",
        "constraints": {"allowedValues": plans, "required": True},
    }
    advanced["elements"] = [plan if each["name"] == "memory" else each for each in advanced["elements"]]
    form["parameters"]["outputs"] = {
        "HostingPlan" if name == "InstanceMemoryMB" else name: "[steps('advanced').plan]" if name == "InstanceMemoryMB" else each
        for name, each in form["parameters"]["outputs"].items()
    }
    return form


def main():
    of_content, of_alerts = content(), alerts()
    flex = main_template(of_content, of_alerts)
    form = json.loads(text_of("createUiDefinition.json"))
    files = {
        "sentinel/content.json": of_content,
        "sentinel/alerts.json": of_alerts,
        "azuredeploy.json": flex,
        "azuredeploy-dedicated.json": dedicated(flex),
        "createUiDefinition.json": form,
        "createUiDefinition-dedicated.json": dedicated_form(form),
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
        print(f"{file} is not up to date: python tests/tools/templates.py", file=sys.stderr)
    sys.exit(1 if stale else 0)


main()
