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


def nested_deployment(template, begin):
    deployments = (each for each in template["resources"] if each["type"] == "Microsoft.Resources/deployments")
    return next(each for each in deployments if begin in each["name"])


def nested_function(template):
    inner = nested_deployment(template, "cisco-duo-content")["properties"]["template"]
    return first(inner, "Microsoft.OperationalInsights/workspaces/savedSearches")


def nested_alerts(template):
    return nested_deployment(template, "cisco-duo-alerts")["properties"]


def nested_alert(template):
    return first(nested_alerts(template)["template"], "Microsoft.Insights/scheduledQueryRules")["properties"]


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
    "a setting is not what was given": lambda t: setting(t, "CISCO_DUO_TIME_GENERATED").update(value="ingestion"),
    "the endpoint that was given is passed over": lambda t: setting(t, "logAnalyticsUri").update(value="[variables('dataCollectorUri')]"),
    "the transformation that was given is passed over": lambda t: first(t, "Microsoft.Resources/deployments")["properties"][
        "parameters"
    ].pop("transformKql"),
    "the memory that was given is passed over": lambda t: first(t, "Microsoft.Web/sites")["properties"]["functionAppConfig"][
        "scaleAndConcurrency"
    ].update(instanceMemoryMB=512),
    "a function that is there is not replaced": lambda t: nested_function(t)["properties"].pop("etag"),
    "the alert's question is judged before there are rows": lambda t: first(t, "Microsoft.Insights/scheduledQueryRules")[
        "properties"
    ].pop("skipQueryValidation"),
    "an alert's question is judged before its table is there": lambda t: nested_alert(t).pop("skipQueryValidation"),
    "the alerts ask for rows that are not sent": lambda t: t["variables"].update(
        hasAlerts="[and(parameters('CreateAlerts'), variables('hasWorkspace'))]"
    ),
    "the alerts are made though they were not wanted": lambda t: nested_deployment(t, "cisco-duo-alerts").update(
        condition="[variables('hasWorkspace')]"
    ),
    "the alerts tell nobody": lambda t: nested_alerts(t)["parameters"].pop("actionGroupId"),
    "the alerts tell of every account": lambda t: nested_alerts(t)["parameters"].pop("apiHostname"),
    "the bound of lag that was given is passed over": lambda t: nested_alerts(t)["parameters"].pop("longestLagMinutes"),
    "an alert asks another workspace": lambda t: nested_alert(t).update(
        scopes=["[resourceId('Microsoft.OperationalInsights/workspaces', 'other')]"]
    ),
    "a password publishes another program": lambda t: first(t, "Microsoft.Web/sites/basicPublishingCredentialsPolicies")[
        "properties"
    ].update(allow=True),
    "whoever knows the connection string forges telemetry": lambda t: first(t, "Microsoft.Insights/components")["properties"].pop(
        "DisableLocalAuth"
    ),
    "the storage account takes keys": lambda t: first(t, "Microsoft.Storage/storageAccounts")["properties"].pop("allowSharedKeyAccess"),
}

# Mistakes in the template for the other plans.
CONTROLS_OF_DEDICATED = {
    "the app needs the package's address at every start": lambda t: setting(t, "WEBSITE_RUN_FROM_PACKAGE").update(
        value="[parameters('PackageUri')]"
    ),
    "the app has no package and looks for none": lambda t: setting(t, "WEBSITE_RUN_FROM_PACKAGE").update(value="1"),
    "the package comes before the roles": lambda t: first(t, "Microsoft.Web/sites/extensions").update(dependsOn=[]),
    "the package is put where it has no place": lambda t: first(t, "Microsoft.Web/sites/extensions").pop("condition"),
    "the package is put by the extension of another plan": lambda t: first(t, "Microsoft.Web/sites/extensions").update(
        name="[concat(variables('app'), '/onedeploy')]"
    ),
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


def noticed(template, mistake, sets):
    wrong = copy.deepcopy(template)
    mistake(wrong)
    assert wrong != template, "nothing was changed"
    for given in sets:
        try:
            check(wrong, given, "AzureCloud")
        except (AssertionError, Refused, KeyError):
            return True
    return False


def controls(template, of_dedicated):
    sets = list(option_sets(template))
    everything = {"CiscoDuoTable": "keep", "SaveFunctionCiscoDuo": True, "CreateAlerts": True}
    chosen = [sets[0], next(each for each in sets if everything.items() <= each.items() and each.get("AlertEmail")), *sets[-2:]]
    for name, mistake in CONTROLS.items():
        assert noticed(template, mistake, chosen), f"not noticed: {name}"
    plans = list(option_sets(of_dedicated))
    chosen = [next(each for each in plans if each.get("HostingPlan") == plan) for plan in ("Dedicated", "ElasticPremium")]
    for name, mistake in CONTROLS_OF_DEDICATED.items():
        assert noticed(of_dedicated, mistake, chosen), f"not noticed: {name}"
    for name, mistake in MISTAKES_IN_TYPES.items():
        wrong = copy.deepcopy(template)
        mistake(wrong)
        try:
            resource_types.check(wrong)
        except AssertionError:
            continue
        raise AssertionError(f"not noticed: {name}")
    return len(CONTROLS) + len(CONTROLS_OF_DEDICATED) + len(MISTAKES_IN_TYPES)
