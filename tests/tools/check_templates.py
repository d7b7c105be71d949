"""Evaluates the deployment templates with every set of options and holds the result against what must hold.

Run in the folder of the repository: python tests/tools/check_templates.py
With `--pinned FOLDER --package-uri URI`: holds only copies that package/pin.py made against the sources. Needs only Python.
"""

import argparse
import glob
import json
import sys

from evaluate_template import Deployment, Refused

from deployment import alerts, examples, form, mistakes, options, parameters, pinned, resource_types, values
from deployment.options import CLOUDS, json_of, option_sets

FORMS = {"azuredeploy.json": "createUiDefinition.json", "azuredeploy-dedicated.json": "createUiDefinition-dedicated.json"}


def every_set(file, template):
    count = 0
    for cloud in CLOUDS:
        for given in option_sets(template):
            try:
                values.check(template, given, cloud)
            except (AssertionError, Refused):
                print(f"{file} in {cloud} with {json.dumps(given)}:", file=sys.stderr)
                raise
            count += 1
    return count


def everything():
    for file in FORMS:
        template = json_of(file)
        values.sources(template)
        values.refusals(template)
        values.redeployment(template)
        options.every_value(template, list(option_sets(template)))
        print(f"{file}: {every_set(file, template)} sets of options; {parameters.bounds(template)} numbers with the bounds of the program")
    for file in [*FORMS, *(each for each in glob.glob("sentinel/*.json") if "resources" in json_of(each))]:
        print(f"{file}: {resource_types.check(json_of(file))} resources of types, versions and names that exist")
    alerts.quotes(Deployment)
    print(f"{mistakes.controls(*map(json_of, FORMS))} mistakes are noticed")
    for of, file in FORMS.items():
        form.form(file, json_of(of))
        print(f"{file}: agrees with {of}")
    examples.named_in_examples(json_of("azuredeploy.json"))
    print("examples and guide: name its parameters")
    examples.published()
    pinned.made(FORMS)
    print(f"copies for a release: deploy their package with the named parameters alone; {pinned.refused()} wrong addresses are refused")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pinned", metavar="FOLDER")
    parser.add_argument("--package-uri", metavar="URI")
    arguments = parser.parse_args()
    if arguments.pinned:
        pinned.check(arguments.pinned, arguments.package_uri, FORMS)
        print(f"{arguments.pinned}: deploys {arguments.package_uri}")
    else:
        everything()


main()
