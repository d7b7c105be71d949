"""Checks of all deployed resources, for any options."""

import re

from evaluate_template import Deployment, Refused

from deployment import alerts, parameters, resource_types
from deployment.options import CLOUDS, KNOWN, SECRETS, WORKSPACE, WORKSPACE_ID, option_sets, texts

SECRET_SETTINGS = {
    "CISCO_DUO_INTEGRATION_KEY": "duo-integration-key",
    "CISCO_DUO_SECRET_KEY": "duo-secret-key",
    "SHARED_KEY": "workspace-shared-key",
}
# Settings that a function app with an identity does not use.
NOT_IN_AZURE = {
    "AzureWebJobsStorage": "a connection string holds a key",
    "AzureWebJobsStorage__accountName": "only in the public cloud; the blob endpoint is used instead",
    "AZURE_TENANT_ID": "outside Azure",
    "AZURE_CLIENT_SECRET": "outside Azure",
    "AZURE_FEDERATED_TOKEN_FILE": "outside Azure",
    "AZURE_AUTHORITY_HOST": "outside Azure",
    "CISCO_DUO_STATE_DIR": "one machine only",
    "AzureFunctionsJobHost__functionTimeout": "host.json has it",
}
OF_THE_HOST = {"APPLICATIONINSIGHTS_CONNECTION_STRING", "APPLICATIONINSIGHTS_AUTHENTICATION_STRING"}
OF_OTHER_PLANS = {"FUNCTIONS_EXTENSION_VERSION", "FUNCTIONS_WORKER_RUNTIME", "WEBSITE_RUN_FROM_PACKAGE"}
ROLES = {
    "Microsoft.Storage": "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "Microsoft.KeyVault": "4633458b-17de-408a-b874-0445c86b69e6",
    "Microsoft.Insights": "3913510d-42f4-4e42-8a64-420c390055eb",
}


def catalog():
    with open("src/settings/catalog.rs", encoding="utf-8") as text:
        return set(re.findall(r"^ +[A-Z_]+ = \"(\w+)\"", text.read(), re.MULTILINE))


def check(template, chosen, cloud):
    result = Deployment(template, chosen, cloud, known=KNOWN)
    given = {name: result.parameters[name.lower()] for name in template["parameters"]}
    for inner in [result, *result.nested.values()]:
        for kind, version in inner.references:
            assert f"{kind}@{version}" in resource_types.INDEX, f"reference() of {kind} with another version: {version}"
    everything = result.every()
    for each in everything.values():
        resource_types.check(each)
    plan = given["HostingPlan"]
    flex = plan == "FlexConsumption"
    (site,) = result.of_type("Microsoft.Web/sites")
    pairs = [(each["name"], each["value"]) for each in site["properties"]["siteConfig"]["appSettings"]]
    settings = dict(pairs)
    assert len(pairs) == len(settings), "a duplicate setting"
    assert all(isinstance(value, str) for value in settings.values()), "a setting is not text"

    named = set(settings) - OF_THE_HOST
    plan_settings = OF_OTHER_PLANS if not flex else set()
    assert named == (catalog() - set(NOT_IN_AZURE)) | plan_settings, named ^ ((catalog() - set(NOT_IN_AZURE)) | plan_settings)

    parameters.carried(result, given, site, settings)

    # Secrets are only in the vault.
    secrets = {each["name"].split("/")[1]: each["properties"]["value"] for each in result.of_type("Microsoft.KeyVault/vaults/secrets")}
    assert set(secrets.values()) == {given[name] for name in SECRETS} - {""}
    for key, each in everything.items():
        if each["type"] != "Microsoft.KeyVault/vaults/secrets":
            leaked = [text for text in texts(each) if any(given[name] and given[name] in text for name in SECRETS)]
            assert not leaked, f"{key} holds a secret"
    for inner in [result, *result.nested.values()]:
        assert not any(given[name] and given[name] in str(inner.outputs) for name in SECRETS), "an output holds a secret"
    (vault,) = result.of_type("Microsoft.KeyVault/vaults")
    for setting, secret in SECRET_SETTINGS.items():
        if secret in secrets:
            value = settings[setting]
            assert value.startswith(f"@Microsoft.KeyVault(SecretUri=https://{vault['name']}.vault.") and value.endswith(f"/secrets/{secret}/)"), value
        else:
            assert settings[setting] == ""
    assert vault["properties"]["enableRbacAuthorization"] is True and len(vault["name"]) <= 24

    # The destination of rows.
    of_cloud, end = CLOUDS[cloud]
    by_rule = given["IngestionApi"] == "LogsIngestion"
    assert settings["CISCO_DUO_CLOUD"] == of_cloud
    rules = result.of_type("Microsoft.Insights/dataCollectionRules")
    assert len(rules) == int(by_rule)
    if by_rule:
        assert settings["LOGS_INGESTION_ENDPOINT"].endswith(f".ingest.monitor.azure.{end}")
        assert re.fullmatch(r"dcr-[0-9a-f]{32}", settings["LOGS_INGESTION_RULE_ID"])
        assert rules[0]["location"] == "workspace-region" and rules[0]["kind"] == "Direct"
        assert settings["LOGS_INGESTION_STREAM"] in rules[0]["properties"]["streamDeclarations"]
        assert settings["logAnalyticsUri"] == settings["WORKSPACE_ID"] == ""
    else:
        assert settings["LOGS_INGESTION_ENDPOINT"] == settings["LOGS_INGESTION_RULE_ID"] == ""
        assert settings["logAnalyticsUri"] == (given["LogAnalyticsUri"] or f"https://{WORKSPACE_ID}.ods.opinsights.azure.{end}")
    tables = {each["name"].split("/")[1] for each in result.of_type("Microsoft.OperationalInsights/workspaces/tables")}
    expected = set()
    if by_rule and given["CiscoDuoTable"] == "create":
        expected.add("CiscoDuo_CL")
    if by_rule and given["CiscoDuoHealthTable"] == "create":
        expected.add("CiscoDuoHealth_CL")
    if by_rule and given["Bridge"] == "createTables":
        expected |= {"DuoActivity_CL", "DuoAuthentication_CL", "DuoTelephony_CL"}
    assert tables == expected, tables

    # The workspace itself is never changed.
    workspaces = result.of_type("Microsoft.OperationalInsights/workspaces")
    assert len(workspaces) == int(not given["WorkspaceResourceId"])
    assert all(each["id"] != WORKSPACE.lower() for each in workspaces)
    (insights,) = result.of_type("Microsoft.Insights/components")
    bound_to = insights["properties"]["WorkspaceResourceId"]
    assert bound_to == given["WorkspaceResourceId"] or bound_to.lower() == workspaces[0]["id"]

    # The selected content.
    functions = result.of_type("Microsoft.OperationalInsights/workspaces/savedSearches")
    names = sorted(each["properties"]["functionAlias"] for each in functions)
    assert names == (["CiscoDuo", "CiscoDuoCoverage"] if given["SaveFunctionCiscoDuo"] else []), names
    assert all(each["properties"].get("functionParameters") for each in functions[1:]), "CiscoDuoCoverage has no parameters"
    # Without it Azure refuses to replace the function, so that a second deployment fails.
    assert all(each["properties"]["etag"] == "*" for each in functions)
    assert len(result.of_type("Microsoft.Insights/workbooks")) == int(given["CreateWorkbook"])
    assert len(result.of_type("Microsoft.SecurityInsights/alertRules")) == 8 * given["CreateAnalyticRules"]
    alerts.check(result, given, WORKSPACE)

    # The identity has its roles before the package is fetched.
    roles = {key: each for key, each in result.deployed.items() if key not in result.nested and each["type"].endswith("/roleAssignments")}
    given_roles = {each["scope"].split("/")[0]: each["properties"]["roleDefinitionId"].split("/")[-1] for each in roles.values()}
    assert given_roles == ROLES, given_roles
    identity = next(iter(site["identity"]["userAssignedIdentities"]))
    assert site["properties"]["keyVaultReferenceIdentity"] == identity
    for role in roles:
        assert result.reaches(site["id"], role), "the app may start before its roles"
    # Passwords and keys cannot be used to publish another program or to forge health data.
    (policy,) = result.of_type("Microsoft.Web/sites/basicPublishingCredentialsPolicies")
    assert policy["name"].endswith("/scm") and policy["properties"] == {"allow": False}
    assert insights["properties"]["DisableLocalAuth"] is True
    packages = result.of_type("Microsoft.Web/sites/extensions")
    fetched_at_start = plan == "ElasticPremium"
    assert len(packages) == int(not fetched_at_start)
    for package in packages:
        assert all(result.reaches(package["id"], role) for role in roles), "the package may come before the roles"
        assert package["name"] == f"{site['name']}/{'onedeploy' if flex else 'ZipDeploy'}"
        assert package["properties"] == {"packageUri": given["PackageUri"], **({"remoteBuild": False} if flex else {})}
    if flex:
        config = site["properties"]["functionAppConfig"]
        assert config["runtime"] == {"name": "custom", "version": "1.0"}
        assert set(site["properties"]["siteConfig"]) == {"minTlsVersion", "appSettings"}, "a setting that Flex Consumption refuses"
        container = config["deployment"]["storage"]["value"].rsplit("/", 1)
        assert container == [settings["AzureWebJobsStorage__blobServiceUri"].rstrip("/"), "app-package"]
    else:
        assert site["properties"]["functionAppConfig"] is None
        of_site = {name: value for name, value in site["properties"]["siteConfig"].items() if name not in ("appSettings", "minTlsVersion")}
        assert of_site == {"linuxFxVersion": "", "alwaysOn": plan == "Dedicated", "ftpsState": "Disabled", "http20Enabled": True}, of_site
        assert settings["WEBSITE_RUN_FROM_PACKAGE"] == (given["PackageUri"] if fetched_at_start else "1")

    (account,) = result.of_type("Microsoft.Storage/storageAccounts")
    assert account["properties"]["allowSharedKeyAccess"] is False and len(account["name"]) <= 24
    assert account["properties"]["allowBlobPublicAccess"] is False, "a container could be made public"
    containers = {each["name"].split("/")[2] for each in result.of_type("Microsoft.Storage/storageAccounts/blobServices/containers")}
    of_app = {settings["CISCO_DUO_CONTAINER"], settings["CISCO_DUO_DEAD_LETTER_CONTAINER"]}
    assert containers == of_app | ({"app-package"} if flex else set()), containers
    (policy,) = result.of_type("Microsoft.Storage/storageAccounts/managementPolicies")
    (deletion,) = policy["properties"]["policy"]["rules"]
    assert deletion["definition"]["filters"]["prefixMatch"] == [settings["CISCO_DUO_DEAD_LETTER_CONTAINER"] + "/"]
    assert deletion["definition"]["actions"] == {"baseBlob": {"delete": {"daysAfterModificationGreaterThan": 90}}}


def refusals(template):
    base = next(option_sets(template))
    for wrong, why in [
        ({"IngestionApi": "LogsIngestion"}, "out of bounds"),
        ({"SaveFunctionCiscoDuo": True}, "out of bounds"),
        ({"IngestionApi": "LogsIngestion", "WorkspaceResourceId": "sentinel"}, "out of bounds"),
        ({"IngestionApi": "Both"}, "is not allowed"),
        ({"CiscoDuoTable": ""}, "is not allowed"),
        # With the other API the identity is the credential; the message must name what is missing.
        ({"MicrosoftSentinelWorkspaceId": ""}, "variable DataCollectorNeedsWorkspaceIdAndSharedKey is not valid"),
        ({"MicrosoftSentinelWorkspaceId": " "}, "variable DataCollectorNeedsWorkspaceIdAndSharedKey is not valid"),
        ({"MicrosoftSentinelSharedKey": ""}, "variable DataCollectorNeedsWorkspaceIdAndSharedKey is not valid"),
        ({"MicrosoftSentinelSharedKey": " "}, "variable DataCollectorNeedsWorkspaceIdAndSharedKey is not valid"),
        ({"CiscoDuoSecretKey": ""}, "less than minLength"),
        # Each of Duo's keys in place of the other.
        ({"CiscoDuoSecretKey": SECRETS["CiscoDuoIntegrationKey"]}, "less than minLength"),
        ({"CiscoDuoIntegrationKey": SECRETS["CiscoDuoSecretKey"]}, "more than maxLength"),
        ({"CiscoDuoWindowDelaySeconds": 60}, "less than minValue"),
        ({"CiscoDuoLookbackHours": 4321}, "more than maxValue"),
        ({"AlertLagMinutes": 14}, "less than minValue"),
        ({"FunctionName": "much-too-long-a-name"}, "more than maxLength"),
    ]:
        try:
            Deployment(template, {**base, **wrong})
        except Refused as refused:
            assert why in str(refused), f"{wrong}: {refused}"
        else:
            raise AssertionError(f"{wrong} is accepted")


def redeployment(template):
    """A second deployment has the same names; another function name gives another app."""
    base = next(option_sets(template))
    once, again = Deployment(template, base), Deployment(template, {**base, "PackageUri": "https://example.invalid/2/released-package.zip"})
    assert set(once.deployed) == set(again.deployed)
    other = Deployment(template, {**base, "FunctionName": "Second"})
    shared = [key for key in once.deployed if key in other.deployed]
    assert not shared, shared
