"""Checks of the examples and the guide."""

import re


def named_in_examples(template):
    """The examples and the guide use parameters that exist, and all that have no default."""
    needed = {name for name, about in template["parameters"].items() if "defaultValue" not in about}
    files = {
        "examples/terraform/main.tf": r"^    (\w+) += \{ value = ",
        "examples/bicep/main.bicep": r"^    (\w+): ",
        "docs/deploy.md": r"(?m:^  |(?<= ))([A-Z]\w+)=\S",
    }
    for file, form_of_name in files.items():
        with open(file, encoding="utf-8") as text:
            content = text.read()
        if file.endswith(".md"):
            content = content.split("## As code")[1].split("```")[1]
        named = set(re.findall(form_of_name, content, re.MULTILINE))
        assert needed <= named <= set(template["parameters"]), f"{file}: {named ^ needed}"
