"""Prints the YAML files that are named, as one JSON object: {file: content}."""

import json
import sys

import yaml

content = {}
for file in sys.argv[1:]:
    with open(file, encoding="utf-8") as text:
        content[file] = yaml.safe_load(text)
# Times and dates are texts here, as Sentinel takes them.
json.dump(content, sys.stdout, default=str)
