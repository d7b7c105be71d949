"""Checks of the alerts about the connector, for any options."""

import pathlib
import re

from deployment.options import json_of

RULES = sorted(file.stem for file in pathlib.Path("sentinel/alerts").glob("*.yaml"))
# The current time in the evaluator.
NOW = "2026-11-23T12:00:00Z"
# The lines with parameters, besides the hostname.
LINES = {"lag": "let LongestLagMinutes = {AlertLagMinutes};", "no-heartbeat": f"let DeployedAt = datetime({NOW});"}


def check(result, given, workspace):
    """Each rule queries the workspace about this account, and notifies the right action group."""
    alerts = result.of_type("Microsoft.Insights/scheduledQueryRules")
    (app,) = result.of_type("Microsoft.Web/sites")
    groups = [each["id"] for each in result.of_type("Microsoft.Insights/actionGroups")]
    assert len(groups) == int(bool(given["AlertEmail"]))
    for alert in alerts:
        # The table may not exist yet when the rule is created.
        assert alert["properties"]["skipQueryValidation"] is True
        notified = alert["properties"]["actions"]["actionGroups"]
        assert [each.lower() for each in notified] == groups, f"{alert['name']} notifies {notified}"
    of_app = {each["name"].removeprefix(f"{app['name']}-"): each for each in alerts}
    is_on = given["CreateAlerts"] and given["WorkspaceResourceId"] and given["CiscoDuoHealth"] == "on"
    assert sorted(of_app) == sorted((RULES if is_on else []) + (["no-run"] if given["AlertEmail"] else [])), sorted(of_app)
    of_app.pop("no-run", None)
    hostname = given["CiscoDuoApiHostname"].strip()
    for stem, alert in of_app.items():
        properties = alert["properties"]
        (scope,) = properties["scopes"]
        assert scope.lower() == workspace.lower() and alert["location"] == "workspace-region", f"{stem} queries {scope}"
        (criterion,) = properties["criteria"]["allOf"]
        query = criterion["query"]
        assert query.count(f'let ApiHostname = "{hostname}";\n') == 1, f"{stem} queries another account: {query}"
        line = LINES.get(stem, "").format(**given)
        assert line in query, f"{stem}: {line} is missing in {query}"
        assert criterion["timeAggregation"] == "Count" and (criterion["operator"], criterion["threshold"]) == ("GreaterThan", 0)


def quotes(evaluate):
    """No hostname can end a string in a query, whatever is pasted."""
    template = json_of("sentinel/alerts.json")
    assert len(template["resources"]) == len(RULES) > 0
    # Limits of all rules together: Azure accepts 64 KB per rule, and 4,096 characters of its description.
    for resource in template["resources"]:
        assert len(str(resource)) < 64_000 and len(resource["properties"]["description"]) <= 4096
    for pasted in ('api-1.duosecurity.com"; CiscoDuo_CL //', "api-1.duosecurity.com\\", " API-1.duosecurity.com "):
        for rule in evaluate(template, {"workspaceName": "sentinel", "apiHostname": pasted}).deployed.values():
            query = rule["properties"]["criteria"]["allOf"][0]["query"]
            (line,) = re.findall(r"^let ApiHostname = .*$", query, re.MULTILINE)
            assert re.fullmatch(r'let ApiHostname = "api-1\.duosecurity\.com[^"\\]*";', line), line
