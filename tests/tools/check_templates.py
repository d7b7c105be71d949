"""Evaluates the deployment templates with every set of options and holds the result against what must hold.

Run in the folder of the repository: python tests/tools/check_templates.py
"""

import copy
import itertools
import json
import os
import re
import shutil
import subprocess
import sys

from evaluate_template import Deployment, Refused, parse

WORKSPACE = "/subscriptions/W/resourceGroups/sentinel-group/providers/Microsoft.OperationalInsights/workspaces/sentinel"
WORKSPACE_ID = "11111111-2222-3333-4444-555555555555"
SECRETS = {
    "CiscoDuoIntegrationKey": "DIFAKEFAKEFAKEFAKE01",
    "CiscoDuoSecretKey": "fakefakefakefakefakefakefakefakefakefake",
    "MicrosoftSentinelSharedKey": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYX",
}
SECRET_SETTINGS = {
    "CISCO_DUO_INTEGRATION_KEY": "duo-integration-key",
    "CISCO_DUO_SECRET_KEY": "duo-secret-key",
    "SHARED_KEY": "workspace-shared-key",
}
# Settings that a function app with an identity has no use for.
NOT_IN_AZURE = {
    "AzureWebJobsStorage": "a connection string holds a key",
    "AzureWebJobsStorage__accountName": "only in the public cloud; the blob endpoint stands for it",
    "AZURE_TENANT_ID": "outside Azure",
    "AZURE_CLIENT_SECRET": "outside Azure",
    "AZURE_FEDERATED_TOKEN_FILE": "outside Azure",
    "AZURE_AUTHORITY_HOST": "outside Azure",
    "CISCO_DUO_STATE_DIR": "one machine only",
    "AzureFunctionsJobHost__functionTimeout": "host.json has it",
}
OF_THE_HOST = {"APPLICATIONINSIGHTS_CONNECTION_STRING", "APPLICATIONINSIGHTS_AUTHENTICATION_STRING"}
OF_OTHER_PLANS = {"FUNCTIONS_EXTENSION_VERSION", "FUNCTIONS_WORKER_RUNTIME", "WEBSITE_RUN_FROM_PACKAGE"}
CLOUDS = {"AzureCloud": ("public", "com"), "AzureUSGovernment": ("usgov", "us"), "AzureChinaCloud": ("china", "cn")}
ROLES = {
    "Microsoft.Storage": "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "Microsoft.KeyVault": "4633458b-17de-408a-b874-0445c86b69e6",
    "Microsoft.Insights": "3913510d-42f4-4e42-8a64-420c390055eb",
}


def json_of(file):
    with open(file, encoding="utf-8") as text:
        return json.load(text)


def catalog():
    with open("src/settings/catalog.rs", encoding="utf-8") as text:
        return set(re.findall(r"(?:setting|required)\(\s*\"(\w+)\"", text.read()))


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


def check(template, given, cloud):
    known = {WORKSPACE.lower(): {"location": "workspace-region", "properties": {}}}
    result = Deployment(template, given, cloud, known=known)
    everything = result.every()
    flex = "HostingPlan" not in template["parameters"]
    (site,) = result.of_type("Microsoft.Web/sites")
    pairs = [(each["name"], each["value"]) for each in site["properties"]["siteConfig"]["appSettings"]]
    settings = dict(pairs)
    assert len(pairs) == len(settings), "a setting stands twice"
    assert all(isinstance(value, str) for value in settings.values()), "a setting is no text"

    named = set(settings) - OF_THE_HOST
    plan_settings = OF_OTHER_PLANS if not flex else set()
    assert named == (catalog() - set(NOT_IN_AZURE)) | plan_settings, named ^ ((catalog() - set(NOT_IN_AZURE)) | plan_settings)

    # Secrets stand in the vault and nowhere else.
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

    # Where rows go.
    of_cloud, end = CLOUDS[cloud]
    by_rule = given.get("IngestionApi") == "LogsIngestion"
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
        assert settings["logAnalyticsUri"] == f"https://{WORKSPACE_ID}.ods.opinsights.azure.{end}"
    tables = {each["name"].split("/")[1] for each in result.of_type("Microsoft.OperationalInsights/workspaces/tables")}
    expected = set()
    if by_rule and given["CiscoDuoTable"] == "create":
        expected.add("CiscoDuo_CL")
    if by_rule and given["Bridge"] == "createTables":
        expected |= {"DuoActivity_CL", "DuoAuthentication_CL", "DuoTelephony_CL"}
    assert tables == expected, tables

    # The workspace itself is never touched.
    workspaces = result.of_type("Microsoft.OperationalInsights/workspaces")
    assert len(workspaces) == int("WorkspaceResourceId" not in given)
    assert all(each["id"] != WORKSPACE.lower() for each in workspaces)
    (insights,) = result.of_type("Microsoft.Insights/components")
    bound_to = insights["properties"]["WorkspaceResourceId"]
    assert bound_to == given.get("WorkspaceResourceId") or bound_to.lower() == workspaces[0]["id"]

    # Content as asked for.
    assert len(result.of_type("Microsoft.OperationalInsights/workspaces/savedSearches")) == int(given["SaveFunctionCiscoDuo"])
    assert len(result.of_type("Microsoft.Insights/workbooks")) == int(given["CreateWorkbook"])
    assert len(result.of_type("Microsoft.SecurityInsights/alertRules")) == 8 * given["CreateAnalyticRules"]
    assert len(result.of_type("Microsoft.Insights/scheduledQueryRules")) == int(bool(given["AlertEmail"]))

    # The identity reaches what it needs before the package is fetched.
    roles = {key: each for key, each in result.deployed.items() if key not in result.nested and each["type"].endswith("/roleAssignments")}
    given_roles = {each["scope"].split("/")[0]: each["properties"]["roleDefinitionId"].split("/")[-1] for each in roles.values()}
    assert given_roles == ROLES, given_roles
    identity = next(iter(site["identity"]["userAssignedIdentities"]))
    assert site["properties"]["keyVaultReferenceIdentity"] == identity
    for role in roles:
        assert result.reaches(site["id"], role), "the app may start before its roles"
    packages = result.of_type("Microsoft.Web/sites/extensions")
    assert len(packages) == int(flex)
    if flex:
        assert all(result.reaches(packages[0]["id"], role) for role in roles)
        assert packages[0]["properties"] == {"packageUri": given["PackageUri"], "remoteBuild": False}
        config = site["properties"]["functionAppConfig"]
        assert config["runtime"] == {"name": "custom", "version": "1.0"}
        assert set(site["properties"]["siteConfig"]) == {"minTlsVersion", "appSettings"}
        container = config["deployment"]["storage"]["value"].rsplit("/", 1)
        assert container == [settings["AzureWebJobsStorage__blobServiceUri"].rstrip("/"), "app-package"]
    else:
        assert "functionAppConfig" not in site["properties"]
        assert site["properties"]["siteConfig"]["alwaysOn"] is (given["HostingPlan"] == "Dedicated")
        assert settings["WEBSITE_RUN_FROM_PACKAGE"] == given["PackageUri"]

    (account,) = result.of_type("Microsoft.Storage/storageAccounts")
    assert account["properties"]["allowSharedKeyAccess"] is False and len(account["name"]) <= 24
    containers = {each["name"].split("/")[2] for each in result.of_type("Microsoft.Storage/storageAccounts/blobServices/containers")}
    assert {settings["CISCO_DUO_CONTAINER"], settings["CISCO_DUO_DEAD_LETTER_CONTAINER"]} <= containers
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
        ({"CiscoDuoSecretKey": ""}, "less than minLength"),
        ({"CiscoDuoSettleSeconds": 60}, "less than minValue"),
        ({"CiscoDuoLookbackHours": 4297}, "more than maxValue"),
        ({"FunctionName": "much-too-long-a-name"}, "more than maxLength"),
    ]:
        try:
            Deployment(template, {**base, **wrong})
        except Refused as refused:
            assert why in str(refused), f"{wrong}: {refused}"
        else:
            raise AssertionError(f"{wrong} is accepted")


def redeployment(template):
    """The same names again; another function name, another app."""
    base = next(option_sets(template))
    once, again = Deployment(template, base), Deployment(template, {**base, "PackageUri": "https://example.invalid/2/released-package.zip"})
    assert set(once.deployed) == set(again.deployed)
    other = Deployment(template, {**base, "FunctionName": "Second"})
    shared = [key for key in once.deployed if key in other.deployed]
    assert not shared, shared


def form(file, template):
    """The form gives every parameter, and only values that the template takes."""
    definition = json_of(file)["parameters"]
    assert list(definition["outputs"]) == list(template["parameters"])
    elements = {("basics", each["name"]): each for each in definition["basics"]}
    for step in definition["steps"]:
        elements.update({(step["name"], each["name"]): each for each in step["elements"]})
    fields(elements)
    used = set()
    for name, output in definition["outputs"].items():
        about = template["parameters"][name]
        found = [("basics", each) for each in re.findall(r"basics\('(\w+)'\)", output)]
        found += re.findall(r"steps\('(\w+)'\)\.(\w+)", output)
        used |= set(found)
        for key in found:
            assert key in elements, f"{name}: the form has no {key}"
            if key == ("sentinel", "ingestionApi") and name != "IngestionApi":
                continue
            values = [each["value"] for each in elements[key].get("constraints", {}).get("allowedValues", [])]
            if about["type"] == "int":
                values = [int(value) for value in values]
            assert not values or "allowedValues" not in about or set(values) == set(about["allowedValues"]), name
            if about["type"] == "securestring":
                assert elements[key]["type"] == "Microsoft.Common.PasswordBox", name
        if about["type"] in ("int", "bool"):
            assert output.startswith(f"[{about['type']}("), name
    silent = {"Microsoft.Common.InfoBox", "Microsoft.Common.TextBlock"}
    filled_in(template, definition, elements)
    unused = [key for key, each in elements.items() if each["type"] not in silent and key not in used]
    assert not unused, unused


# What each validated field of the form takes, and what it refuses.
FIELDS = {
    ("basics", "functionName"): (["CiscoDuo", "duo2"], ["", "2duo", "cisco-duo", "CiscoDuoSentinel"]),
    ("duo", "integrationKey"): (["DIFAKEFAKEFAKEFAKE01"], ["", "DIFAKE", "fakefakefakefakefakefakefakefakefakefake"]),
    ("duo", "secretKey"): (["fakefakefakefakefakefakefakefakefakefake"], ["", "DIFAKEFAKEFAKEFAKE01"]),
    ("duo", "apiHostname"): (
        ["api-00000000.duosecurity.com", "api-1a2B3c.duofederal.com"],
        ["", "https://api-00000000.duosecurity.com", "admin-00000000.duosecurity.com", "api-00000000.example.com"],
    ),
    ("duo", "logTypes"): (["authentication", "activity,trust_monitor"], ["", "authn", "authentication, activity", "activity,"]),
    ("sentinel", "workspaceId"): ([WORKSPACE_ID], ["", "sentinel", WORKSPACE]),
    ("sentinel", "sharedKey"): (["A" * 86 + "=="], ["", "A" * 86, WORKSPACE_ID]),
    ("sentinel", "ruleName"): (["dcr-ciscoduo"], ["", "-rule", "a rule"]),
    ("sentinel", "transform"): (["source", "source | extend a_g = toguid(a_g)"], ["", "CiscoDuo_CL"]),
    ("content", "alertEmail"): (["", "someone@example.com"], ["someone", "one@example.com, two@example.com"]),
    ("advanced", "packageUri"): (["https://example.invalid/released-package.zip"], ["", "http://example.invalid/released-package.zip"]),
    ("advanced", "logAnalyticsUri"): (
        ["", f"https://{WORKSPACE_ID}.ods.opinsights.azure.us"],
        ["https://example.com", f"http://{WORKSPACE_ID}.ods.opinsights.azure.us"],
    ),
    ("advanced", "start"): (["", "2026-11-22T12:00:00Z", "authentication=1763812800,activity=1763812800000"], ["one day ago"]),
    ("advanced", "lookbackHours"): (["1", "24", "4296"], ["", "0", "4297", "5000", "1.5"]),
    ("advanced", "windowMinutes"): (["1", "60"], ["", "0", "-1"]),
    ("advanced", "settleSeconds"): (["120", "180", "9999"], ["", "0", "119", "60"]),
    ("advanced", "callsPerMinute"): (["0", "10"], ["", "-1"]),
    ("advanced", "parkSeconds"): (["1", "60"], ["", "0"]),
    ("advanced", "runSeconds"): (["1", "50"], ["", "0"]),
}


def pattern(element):
    constraints = element.get("constraints", {})
    return constraints.get("regex") or next((each["regex"] for each in constraints.get("validations", [])), None)


def fields(elements):
    validated = {key for key, each in elements.items() if pattern(each)}
    assert validated == set(FIELDS), validated ^ set(FIELDS)
    for key, (good, bad) in FIELDS.items():
        for values, taken in ((good, True), (bad, False)):
            for value in values:
                assert bool(re.search(pattern(elements[key]), value)) is taken, f"{key}: {value!r}"


class Form:
    """What the form gives for what somebody chose; the rest as the form proposes it."""

    def __init__(self, elements, chosen):
        self.chosen = {}
        for (step, name), element in elements.items():
            proposed = element.get("defaultValue")
            for choice in element.get("constraints", {}).get("allowedValues", []):
                if choice["label"] == proposed:
                    proposed = choice["value"]
            # Azure gives nothing for a field that is not shown or not filled in.
            self.chosen.setdefault(step, {})[name] = chosen.get((step, name), proposed)

    def run(self, tree):
        if tree[0] == "value":
            return tree[1]
        if tree[0] == "member":
            return self.run(tree[1])[tree[2]]
        _, name, arguments = tree
        if name == "if":
            return self.run(arguments[1] if self.run(arguments[0]) else arguments[2])
        values = [self.run(argument) for argument in arguments]
        if name == "steps":
            return self.chosen[values[0]]
        if name == "basics":
            return self.chosen["basics"][values[0]]
        if name == "bool":
            return {"true": True, "false": False}[values[0]]
        known = {"location": lambda: "app-region", "equals": lambda one, other: one == other, "int": int}
        return known[name](*values)

    def given(self, outputs):
        return {name: self.run(parse(output[1:-1])) for name, output in outputs.items()}


def filled_in(template, definition, elements):
    """The form, filled in for either API, makes what must be made."""
    filled = {
        ("duo", "integrationKey"): SECRETS["CiscoDuoIntegrationKey"],
        ("duo", "secretKey"): SECRETS["CiscoDuoSecretKey"],
        ("duo", "apiHostname"): "api-00000000.duosecurity.com",
        ("sentinel", "workspace"): {"id": WORKSPACE, "location": "workspace-region"},
        ("advanced", "packageUri"): "https://example.invalid/1/released-package.zip",
    }
    proposed = Form(elements, filled).given(definition["outputs"])
    assert proposed["IngestionApi"] == "LogsIngestion" and proposed["CiscoDuoTable"] == "keep"
    assert proposed["CreateAnalyticRules"] is False
    by_key = {
        **filled,
        ("sentinel", "ingestionApi"): "DataCollector",
        ("sentinel", "workspaceId"): WORKSPACE_ID,
        ("sentinel", "sharedKey"): SECRETS["MicrosoftSentinelSharedKey"],
    }
    for given in (proposed, Form(elements, by_key).given(definition["outputs"])):
        for cloud in CLOUDS:
            check(template, given, cloud)
    # What the form proposes is what the template takes where nothing is said, but for what the form asks for.
    asked = {"IngestionApi", "SaveFunctionCiscoDuo", "CreateWorkbook", "WorkspaceResourceId", "Location"}
    for name, about in template["parameters"].items():
        if "defaultValue" in about and name not in asked:
            assert proposed[name] == about["defaultValue"], f"{name}: the form proposes {proposed[name]!r}"


def named_in_examples(template):
    """The examples and the guide name parameters that exist, and all that have no default."""
    needed = {name for name, about in template["parameters"].items() if "defaultValue" not in about}
    places = {
        "examples/terraform/main.tf": r"^    (\w+) += \{ value = ",
        "examples/bicep/main.bicep": r"^    (\w+): ",
        "docs/deploy.md": r"(?m:^  |(?<= ))([A-Z]\w+)=\S",
    }
    for file, form_of_name in places.items():
        with open(file, encoding="utf-8") as text:
            content = text.read()
        if file.endswith(".md"):
            content = content.split("## As code")[1].split("```")[1]
        named = set(re.findall(form_of_name, content, re.MULTILINE))
        assert needed <= named <= set(template["parameters"]), f"{file}: {named ^ needed}"


def published():
    """What func and VS Code send: .funcignore leaves nothing else of what is under version control."""
    if shutil.which("git") is None or not os.path.exists(".git"):
        print("skipped: .funcignore (no git repository)")
        return
    git = ["git", "ls-files", "--cached"]
    every = subprocess.run(git, check=True, capture_output=True, text=True).stdout.splitlines()
    ignored = subprocess.run(
        [*git, "--ignored", "--exclude-from=.funcignore"], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    assert set(every) - set(ignored) == {"host.json", "CiscoDuoTimer/function.json"}, set(every) - set(ignored)
    with open(".funcignore", encoding="utf-8") as text:
        assert "handler" not in text.read().splitlines()
    print(".funcignore: leaves host.json and CiscoDuoTimer")


def sources(template):
    inner = {
        name: each["properties"]["template"]
        for each in template["resources"]
        if each["type"] == "Microsoft.Resources/deployments"
        for name in re.findall(r"cisco-duo-\w+", each["name"])
    }
    assert inner == {
        "cisco-duo-rule": json_of("sentinel/data-collection-rule.json"),
        "cisco-duo-content": json_of("sentinel/content.json"),
    }


def first(template, kind):
    return next(each for each in template["resources"] if each["type"] == kind)


def setting(template, name):
    settings = first(template, "Microsoft.Web/sites")["properties"]["siteConfig"]["appSettings"]
    return next(each for each in settings if each["name"] == name)


def without(needs, part):
    needs[:] = [each for each in needs if part not in each]


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
    "the table is always made": lambda t: first(t, "Microsoft.Resources/deployments")["properties"]["parameters"]["newTable"].update(
        value=True
    ),
    "a workspace is always made": lambda t: first(t, "Microsoft.OperationalInsights/workspaces").pop("condition"),
    "something depends on nothing": lambda t: first(t, "Microsoft.Web/sites")["dependsOn"].append("nothing"),
    "the storage account takes keys": lambda t: first(t, "Microsoft.Storage/storageAccounts")["properties"].pop("allowSharedKeyAccess"),
}


def controls(template):
    sets = list(option_sets(template))
    chosen = [sets[0], next(each for each in sets if each.get("CiscoDuoTable") == "keep")]
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


def main():
    for file in ("azuredeploy.json", "azuredeploy-dedicated.json"):
        template = json_of(file)
        sources(template)
        refusals(template)
        redeployment(template)
        count = 0
        for cloud in CLOUDS:
            for given in option_sets(template):
                try:
                    check(template, given, cloud)
                except (AssertionError, Refused):
                    print(f"{file} in {cloud} with {json.dumps(given)}:", file=sys.stderr)
                    raise
                count += 1
        print(f"{file}: {count} sets of options")
    controls(json_of("azuredeploy.json"))
    print(f"{len(CONTROLS)} mistakes are noticed")
    for file, of in (
        ("createUiDefinition.json", "azuredeploy.json"),
        ("createUiDefinition-dedicated.json", "azuredeploy-dedicated.json"),
    ):
        form(file, json_of(of))
        print(f"{file}: agrees with {of}")
    named_in_examples(json_of("azuredeploy.json"))
    print("examples and guide: name its parameters")
    published()


main()
