"""What must hold of the alerts about the connector itself, whatever the options."""

import pathlib
import re

from deployment.options import json_of

RULES = sorted(file.stem for file in pathlib.Path("sentinel/alerts").glob("*.yaml"))
# What the evaluator says is now.
NOW = "2026-11-23T12:00:00Z"
# The rules that need the value beside the hostname.
LINES = {"lag": "let LongestLagMinutes = {AlertLagMinutes};", "no-heartbeat": f"let DeployedAt = datetime({NOW});"}


def check(result, given, workspace):
    """Each rule asks the workspace about this account, and tells whoever is to be told."""
    alerts = result.of_type("Microsoft.Insights/scheduledQueryRules")
    (app,) = result.of_type("Microsoft.Web/sites")
    groups = [each["id"] for each in result.of_type("Microsoft.Insights/actionGroups")]
    assert len(groups) == int(bool(given["AlertEmail"]))
    for alert in alerts:
        # What it asks for may not be there yet when it is made.
        assert alert["properties"]["skipQueryValidation"] is True
        told = alert["properties"]["actions"]["actionGroups"]
        assert [each.lower() for each in told] == groups, f"{alert['name']} tells {told}"
    of_app = {each["name"].removeprefix(f"{app['name']}-"): each for each in alerts}
    is_on = given["CreateAlerts"] and given["WorkspaceResourceId"] and given["CiscoDuoHealth"] == "on"
    assert sorted(of_app) == sorted((RULES if is_on else []) + (["no-run"] if given["AlertEmail"] else [])), sorted(of_app)
    of_app.pop("no-run", None)
    hostname = given["CiscoDuoApiHostname"].strip()
    for stem, alert in of_app.items():
        properties = alert["properties"]
        (scope,) = properties["scopes"]
        assert scope.lower() == workspace.lower() and alert["location"] == "workspace-region", f"{stem} asks {scope}"
        (criterion,) = properties["criteria"]["allOf"]
        query = criterion["query"]
        assert query.count(f'let ApiHostname = "{hostname}";\n') == 1, f"{stem} asks about another account: {query}"
        line = LINES.get(stem, "").format(**given)
        assert line in query, f"{stem}: {line} is missing in {query}"
        assert criterion["timeAggregation"] == "Count" and (criterion["operator"], criterion["threshold"]) == ("GreaterThan", 0)


def quotes(evaluate):
    """A hostname ends no text in a query, whatever is pasted."""
    template = json_of("sentinel/alerts.json")
    assert len(template["resources"]) == len(RULES) > 0
    # Everything in the rules together: Azure takes 64 KB of each, and 4,096 characters of what it says.
    for resource in template["resources"]:
        assert len(str(resource)) < 64_000 and len(resource["properties"]["description"]) <= 4096
    for pasted in ('api-1.duosecurity.com"; CiscoDuo_CL //', "api-1.duosecurity.com\\", " API-1.duosecurity.com "):
        for rule in evaluate(template, {"workspaceName": "sentinel", "apiHostname": pasted}).deployed.values():
            query = rule["properties"]["criteria"]["allOf"][0]["query"]
            (line,) = re.findall(r"^let ApiHostname = .*$", query, re.MULTILINE)
            assert re.fullmatch(r'let ApiHostname = "api-1\.duosecurity\.com[^"\\]*";', line), line
