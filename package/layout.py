"""How the templates and forms are laid out, so that every program that writes one changes only the lines it means to."""

import json

WIDTH = 140


def written(value, indent=0):
    """JSON with one line for what fits into one; nested templates always in one line."""
    one_line = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, (dict, list)) or not value or len(one_line) + indent <= WIDTH - 1:
        return one_line
    inner = " " * (indent + 2)
    if isinstance(value, list):
        parts = [inner + written(each, indent + 2) for each in value]
        return "[\n" + ",\n".join(parts) + "\n" + " " * indent + "]"
    parts = []
    for key, each in value.items():
        if key == "template":
            text = json.dumps(each, ensure_ascii=False, separators=(",", ":"))
        else:
            text = written(each, indent + 2)
        parts.append(f"{inner}{json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(parts) + "\n" + " " * indent + "}"
