"""Mistakes put into a template, each of which must be noticed."""

import copy

from evaluate_template import Refused

from deployment import resource_types
from deployment.options import option_sets
from deployment.values import check


def first(template, kind):
    return next(each for each in template["resources"] if each["type"] == kind)


def setting(template, name):
    settings = first(template, "Microsoft.Web/sites")["properties"]["siteConfig"]["appSettings"]
    return next(each for each in settings if each["name"] == name)


def nested_rule(template):
    inner = first(template, "Microsoft.Resources/deployments")["properties"]["template"]
    return first(inner, "Microsoft.Insights/dataCollectionRules")


def without(needs, part):
    needs[:] = [each for each in needs if part not in each]


def nested_function(template):
    inner = [each for each in template["resources"] if each["type"] == "Microsoft.Resources/deployments"][1]
    return first(inner["properties"]["template"], "Microsoft.OperationalInsights/workspaces/savedSearches")


# Mistakes that must be noticed.
CONTROLS = {
    "the package is fetched before the roles are there": lambda t: first(t, "Microsoft.Web/sites/extensions").update(
        dependsOn=[]
    ),
    "the app starts before it may read the vault": lambda t: without(first(t, "Microsoft.Web/sites")["dependsOn"], "vaultRole"),
    "an output gives a secret": lambda t: t["outputs"].update(key={"type": "string", "value": "[parameters('CiscoDuoSecretKey')]"}),
    "a secret is a plain setting": lambda t: setting(t, "CISCO_DUO_SECRET_KEY").update(value="[parameters('CiscoDuoSecretKey')]"),
    "a setting that Flex Consumption refuses": lambda t: first(t, "Microsoft.Web/sites")["properties"]["siteConfig"][
        "appSettings"
    ].append({"name": "FUNCTIONS_WORKER_RUNTIME", "value": "custom"}),
    "a setting is missing": lambda t: first(t, "Microsoft.Web/sites")["properties"]["siteConfig"]["appSettings"].remove(
        setting(t, "CISCO_DUO_START")
    ),
    "the rule is asked for where there is none": lambda t: setting(t, "LOGS_INGESTION_ENDPOINT").update(
        value="[reference(variables('ruleDeploymentId'), '2022-09-01').outputs.LOGS_INGESTION_ENDPOINT.value]"
    ),
    "something is asked for in a version that does not exist": lambda t: setting(t, "AZURE_CLIENT_ID").update(
        value="[reference(variables('identityId'), '2023-02-31').clientId]"
    ),
    "the table is always made": lambda t: first(t, "Microsoft.Resources/deployments")["properties"]["parameters"]["newTable"].update(
        value=True
    ),
    "a workspace is always made": lambda t: first(t, "Microsoft.OperationalInsights/workspaces").pop("condition"),
    "something depends on nothing": lambda t: first(t, "Microsoft.Web/sites")["dependsOn"].append("nothing"),
    "a container may be made public": lambda t: first(t, "Microsoft.Storage/storageAccounts")["properties"].update(
        allowBlobPublicAccess=True
    ),
    "a function that is there is not replaced": lambda t: nested_function(t)["properties"].pop("etag"),
    "the alert's question is judged before there are rows": lambda t: first(t, "Microsoft.Insights/scheduledQueryRules")[
        "properties"
    ].pop("skipQueryValidation"),
    "a password publishes another program": lambda t: first(t, "Microsoft.Web/sites/basicPublishingCredentialsPolicies")[
        "properties"
    ].update(allow=True),
    "whoever knows the connection string forges telemetry": lambda t: first(t, "Microsoft.Insights/components")["properties"].pop(
        "DisableLocalAuth"
    ),
    "the storage account takes keys": lambda t: first(t, "Microsoft.Storage/storageAccounts")["properties"].pop("allowSharedKeyAccess"),
}

# Mistakes that the list of types alone must notice.
MISTAKES_IN_TYPES = {
    "a type that does not exist": lambda t: first(t, "Microsoft.KeyVault/vaults").update(type="Microsoft.KeyVault/vault"),
    "a version that does not exist": lambda t: first(t, "Microsoft.Storage/storageAccounts").update(apiVersion="2023-05-02"),
    "a type in a nested template that does not exist": lambda t: nested_rule(t).update(type="Microsoft.Insights/dataCollectionRule"),
    "a name that the type does not have": lambda t: first(t, "Microsoft.Storage/storageAccounts")["properties"].update(
        allowBlobPublicAcess=False
    ),
    "a name in a nested template that the type does not have": lambda t: nested_rule(t)["properties"].update(dataFlow=[]),
}


def controls(template):
    sets = list(option_sets(template))
    everything = {"CiscoDuoTable": "keep", "SaveFunctionCiscoDuo": True}
    chosen = [sets[0], next(each for each in sets if everything.items() <= each.items() and each["AlertEmail"])]
    for name, mistake in CONTROLS.items():
        wrong = copy.deepcopy(template)
        mistake(wrong)
        assert wrong != template, name
        noticed = 0
        for given in chosen:
            try:
                check(wrong, given, "AzureCloud")
            except (AssertionError, Refused, KeyError):
                noticed += 1
        assert noticed, f"not noticed: {name}"
    for name, mistake in MISTAKES_IN_TYPES.items():
        wrong = copy.deepcopy(template)
        mistake(wrong)
        try:
            resource_types.check(wrong)
        except AssertionError:
            continue
        raise AssertionError(f"not noticed: {name}")
    return len(CONTROLS) + len(MISTAKES_IN_TYPES)
