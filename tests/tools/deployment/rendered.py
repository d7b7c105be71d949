"""The templates with every expression evaluated, as templates without one: what tools that know no expressions can read."""

import json
import pathlib

from evaluate_template import Deployment

from deployment.options import KNOWN, json_of, option_sets

# File, and what of the sets of options is wanted: each once as it is least, and once with everything.
EVERYTHING = {
    "IngestionApi": "LogsIngestion",
    "CiscoDuoTable": "create",
    "Bridge": "createTables",
    "SaveFunctionCiscoDuo": True,
    "CreateWorkbook": True,
    "CreateAnalyticRules": True,
    "AlertEmail": "someone@example.com",
}
RENDERED = {
    "flex-data-collector": ("azuredeploy.json", {}),
    "flex-logs-ingestion": ("azuredeploy.json", EVERYTHING),
    "dedicated": ("azuredeploy-dedicated.json", {"HostingPlan": "Dedicated"}),
    "elastic-premium": ("azuredeploy-dedicated.json", {"HostingPlan": "ElasticPremium", **EVERYTHING}),
}


def resources(name):
    file, wanted = RENDERED[name]
    template = json_of(file)
    given = next(each for each in option_sets(template) if wanted.items() <= each.items())
    deployed = Deployment(template, given, known=KNOWN).every().values()
    return [{field: value for field, value in each.items() if field != "id"} for each in deployed]


def write(folder, name, of):
    template = {
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "resources": of,
    }
    (pathlib.Path(folder) / f"{name}.json").write_text(json.dumps(template, indent=2), encoding="utf-8")
