"""Prints the given YAML files as one JSON object: {file: content}."""

import json
import sys

import yaml

content = {}
for file in sys.argv[1:]:
    with open(file, encoding="utf-8") as text:
        content[file] = yaml.safe_load(text)
# Times and dates are strings, as Sentinel expects them.
json.dump(content, sys.stdout, default=str)
