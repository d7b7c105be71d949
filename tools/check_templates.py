"""Evaluates the deployment template with all kinds of options and checks the result.

Run in the folder of the repository: python tools/check_templates.py [--evaluated FOLDER]
With a folder, only writes the resources deployed with all and with minimal options, for linters that cannot evaluate.
"""

import json
import pathlib
import sys

from evaluate_template import Deployment, Refused

from deployment import alerts, examples, form, options, values
from deployment.options import CLOUDS, KNOWN, json_of, option_sets


def write_evaluated(folder, template, sets):
    for name, given in {"least": sets[0], "everything": sets[-3]}.items():
        deployed = Deployment(template, given, known=KNOWN).every().values()
        resources = [{field: value for field, value in each.items() if field != "id"} for each in deployed]
        head = {name: template[name] for name in ("$schema", "contentVersion")}
        pathlib.Path(folder, f"{name}.json").write_text(json.dumps({**head, "resources": resources}, indent=2), encoding="utf-8")


def main():
    template = json_of("azuredeploy.json")
    sets = list(option_sets(template))
    if sys.argv[1:2] == ["--evaluated"]:
        return write_evaluated(sys.argv[2], template, sets)
    options.every_value(template, sets)
    for cloud in CLOUDS:
        for given in sets:
            try:
                values.check(template, given, cloud)
            except (AssertionError, Refused):
                print(f"azuredeploy.json in {cloud} with {json.dumps(given)}:", file=sys.stderr)
                raise
    values.refusals(template)
    values.redeployment(template)
    alerts.quotes(Deployment)
    print(f"azuredeploy.json: {len(sets)} sets of options in {len(CLOUDS)} clouds")
    form.form("createUiDefinition.json", template)
    examples.named_in_examples(template)
    print("form, examples and guide: agree with it")


main()
