"""Evaluation of the form for given input, and of the template with its outputs."""

from evaluate_template import Deployment, Functions, Refused, parse

from deployment.options import CLOUDS, SECRETS, WORKSPACE, WORKSPACE_ID
from deployment.values import check

CONTENT = ("SaveFunctionCiscoDuo", "CreateWorkbook", "CreateAnalyticRules", "CreateAlerts")
# Possible values of a selector without a selection; Microsoft's documentation does not specify it.
NOTHING = (None, {}, {"id": None}, {"id": ""})


class Form(Functions):
    """The outputs of the form for given input; other fields have their defaults."""

    def __init__(self, elements, chosen):
        self.chosen, self.shown = {}, set()
        for (step, name), element in elements.items():
            proposed = element.get("defaultValue")
            values = {each["label"]: each["value"] for each in element.get("constraints", {}).get("allowedValues", [])}
            if isinstance(proposed, list):
                proposed = [values.get(each, each) for each in proposed]
            elif proposed is not None:
                proposed = values.get(proposed, proposed)
            self.chosen.setdefault(step, {})[name] = chosen.get((step, name), proposed)
        for (step, name), element in elements.items():
            if self.run(parse(element["visible"][1:-1])) if "visible" in element else True:
                self.shown.add((step, name))
            else:
                # Azure returns nothing for a field that is not shown.
                self.chosen[step][name] = None

    def run(self, tree):
        if tree[0] == "value":
            return tree[1]
        if tree[0] == "member":
            # A member of null is null.
            return (self.run(tree[1]) or {}).get(tree[2])
        _, name, arguments = tree
        # Evaluates all arguments, even of if(): whether the portal skips one is not documented.
        values = [self.run(argument) for argument in arguments]
        return getattr(self, f"f_{name}")(*values)

    def f_steps(self, name):
        return self.chosen[name]

    def f_basics(self, name):
        return self.chosen["basics"][name]

    def f_location(self):
        return "app-region"

    def f_if(self, condition, then, otherwise):
        assert isinstance(condition, bool), f"if() of {condition!r}"
        return then if condition else otherwise

    def f_contains(self, where, what):
        return what in where

    def f_skip(self, text, count):
        return text[count:]

    def f_int(self, value):
        return int(value)

    def f_bool(self, value):
        # The portal also converts null to true; that must not happen.
        return {"true": True, "false": False}[value]

    def given(self, outputs):
        return {name: self.run(parse(output[1:-1])) for name, output in outputs.items()}


def logs(elements, outputs, filled):
    """Any selection of logs is joined by commas, in the order of the list."""
    every = [each["value"] for each in elements["duo", "logTypes"]["constraints"]["allowedValues"]]
    for chosen in ([every[0]], [every[-1]], every[1:3], every[::-1], every):
        text = Form(elements, {**filled, ("duo", "logTypes"): chosen}).given(outputs)["CiscoDuoLogTypes"]
        assert text == ",".join(each for each in every if each in chosen), f"{chosen}: {text}"


def without_workspace(template, elements, outputs, by_rule, by_key):
    """Without a workspace: the form reports an error for the API that needs one, and accepts the other."""
    fields = {("content", each) for each in ("function", "workbook", "rules", "alerts")}
    error, offered, left_out = ("sentinel", "workspaceMissing"), ("sentinel", "ownWorkspace"), ("content", "noWorkspace")
    assert elements[error]["options"]["icon"] == "Error"
    for filled in (by_rule, by_key):
        shown = Form(elements, filled).shown
        assert fields <= shown and not shown & {error, offered, left_out}, shown
    for nothing in NOTHING:
        # A workspace and the rules were selected first, and then no workspace.
        no_choice = {("sentinel", "workspace"): nothing, ("content", "rules"): "true"}
        for filled, box, other in ((by_rule, error, offered), (by_key, offered, error)):
            form = Form(elements, {**filled, **no_choice})
            assert {box, left_out} <= form.shown and other not in form.shown and not fields & form.shown, form.shown
            given = form.given(outputs)
            assert given["WorkspaceResourceId"] == "" and not any(given[name] for name in CONTENT), given
            if filled is by_key:
                for cloud in CLOUDS:
                    check(template, given, cloud)
                continue
            try:
                Deployment(template, given)
            except Refused as refused:
                assert "variable workspace" in str(refused), refused
            else:
                raise AssertionError("the Logs Ingestion API without a workspace is accepted")


def filled_in(template, definition, elements):
    """The form, filled in for either API, deploys the right resources."""
    outputs = definition["outputs"]
    filled = {
        ("duo", "integrationKey"): SECRETS["CiscoDuoIntegrationKey"],
        ("duo", "secretKey"): SECRETS["CiscoDuoSecretKey"],
        ("duo", "apiHostname"): "api-00000000.duosecurity.com",
        ("sentinel", "workspace"): {"id": WORKSPACE, "location": "workspace-region"},
    }
    filled["advanced", "packageUri"] = "https://example.invalid/1/released-package.zip"
    proposed = Form(elements, filled).given(outputs)
    assert proposed["IngestionApi"] == "LogsIngestion" and proposed["CiscoDuoTable"] == "keep"
    assert proposed["CreateAnalyticRules"] is False and proposed["WorkspaceResourceId"] == WORKSPACE
    by_key = {
        **filled,
        ("sentinel", "ingestionApi"): "DataCollector",
        ("sentinel", "workspaceId"): WORKSPACE_ID,
        ("sentinel", "sharedKey"): SECRETS["MicrosoftSentinelSharedKey"],
    }
    with_rules = {**filled, ("content", "rules"): "true"}
    for chosen in (filled, by_key, with_rules):
        given = Form(elements, chosen).given(outputs)
        assert [given[name] for name in CONTENT] == [True, True, chosen is with_rules, True], given
        for cloud in CLOUDS:
            check(template, given, cloud)
    without_workspace(template, elements, outputs, filled, by_key)
    logs(elements, outputs, filled)
    # Defaults of the form equal those of the template, except for fields without a default in the form.
    chosen = {"IngestionApi", "SaveFunctionCiscoDuo", "CreateWorkbook", "WorkspaceResourceId", "Location"}
    for name, about in template["parameters"].items():
        if "defaultValue" in about and name not in chosen:
            assert proposed[name] == about["defaultValue"], f"{name}: the form proposes {proposed[name]!r}"
