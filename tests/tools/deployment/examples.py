"""What stands beside the templates: examples, guide, and what the tools publish."""

import os
import re
import shutil
import subprocess


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
    assert set(every) - set(ignored) == {"host.json", "CiscoDuoStatus/function.json", "CiscoDuoTimer/function.json"}, set(every) - set(ignored)
    with open(".funcignore", encoding="utf-8") as text:
        assert "handler" not in text.read().splitlines()
    print(".funcignore: leaves host.json and the functions")
