"""Evaluates an ARM template as Azure would: the deployed resources with their values.

Supports the functions that our templates use and rejects others. Values that Azure assigns (an identity's ID, an endpoint)
are placeholders.
https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions
"""

import functools
import hashlib
import re

SUFFIXES = {"AzureCloud": "core.windows.net", "AzureUSGovernment": "core.usgovcloudapi.net", "AzureChinaCloud": "core.chinacloudapi.cn"}
VAULTS = {"AzureCloud": "vault.azure.net", "AzureUSGovernment": "vault.usgovcloudapi.net", "AzureChinaCloud": "vault.azure.cn"}
INGESTION = {"AzureCloud": "com", "AzureUSGovernment": "us", "AzureChinaCloud": "cn"}
TOKEN = re.compile(r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+)|(?P<name>[A-Za-z_]\w*)|(?P<mark>[()\[\].,]))")
TYPES = {"string": str, "securestring": str, "int": int, "bool": bool, "object": dict, "array": list}


class Refused(Exception):
    """A template that Azure would refuse."""


def tokens(text):
    at, found = 0, []
    text = text.rstrip()
    while at < len(text):
        match = TOKEN.match(text, at)
        if not match:
            raise Refused(f"cannot read {text[at:at + 40]!r}")
        found.append((match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return found


@functools.cache
def parse(text):
    """A tree of ('value', v), ('call', name, arguments), ('member', of, name) and ('index', of, at)."""
    rest = tokens(text)

    def take(expected=None):
        if not rest or (expected and rest[0][1] != expected):
            raise Refused(f"{expected} is missing in {text!r}")
        return rest.pop(0)

    def one():
        kind, value = take()
        if kind == "text":
            tree = ("value", value[1:-1].replace("''", "'"))
        elif kind == "number":
            tree = ("value", int(value))
        elif kind == "name":
            take("(")
            arguments = []
            while rest and rest[0][1] != ")":
                arguments.append(one())
                if rest and rest[0][1] == ",":
                    take(",")
            take(")")
            tree = ("call", value.lower(), arguments)
        else:
            raise Refused(f"unexpected {value!r} in {text!r}")
        while rest and rest[0][1] in (".", "["):
            if take()[1] == ".":
                tree = ("member", tree, take()[1])
            else:
                tree = ("index", tree, one())
                take("]")
        return tree

    tree = one()
    if rest:
        raise Refused(f"unexpected {rest[0][1]!r} in {text!r}")
    return tree


def is_expression(value):
    return isinstance(value, str) and value.startswith("[") and value.endswith("]") and not value.startswith("[[")


def made_up(*parts):
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()


class Functions:
    """Functions of both templates and forms."""

    def f_concat(self, *parts):
        if all(isinstance(part, list) for part in parts):
            return [each for part in parts for each in part]
        if any(part is None or isinstance(part, (list, dict, bool)) for part in parts):
            raise Refused(f"concat() of {parts!r}")
        return "".join(map(str, parts))

    def f_createarray(self, *values):
        return list(values)

    def f_createobject(self, *pairs):
        return dict(zip(pairs[::2], pairs[1::2]))

    def f_union(self, *objects):
        return {name: value for each in objects for name, value in each.items()}

    def f_null(self):
        return None

    def f_equals(self, one, other):
        return one == other

    def f_not(self, value):
        if not isinstance(value, bool):
            raise Refused(f"not() of {value!r}")
        return not value

    def f_and(self, *values):
        return all(values)

    def f_or(self, *values):
        return any(values)

    def f_empty(self, value):
        return not value

    def f_split(self, value, at):
        return value.split(at)

    def f_tolower(self, value):
        return value.lower()

    def f_trim(self, value):
        return value.strip()

    def f_replace(self, value, old, new):
        return value.replace(old, new)

    def f_string(self, value):
        return str(value)


class Deployment(Functions):
    """A template with its parameters, in one resource group."""

    def __init__(self, template, parameters, cloud="AzureCloud", group="/subscriptions/S/resourceGroups/app-group", known=None):
        self.template, self.cloud, self.group = template, cloud, group
        self.known = known or {}
        self.parameters, self.variables = {}, {}
        for name, about in template.get("parameters", {}).items():
            if name in parameters:
                value = parameters[name]
            elif "defaultValue" in about:
                value = self.value(about["defaultValue"])
            else:
                raise Refused(f"parameter {name} is missing")
            self.accept(name, about, value)
            self.parameters[name.lower()] = value
        for name in parameters:
            if name not in template.get("parameters", {}):
                raise Refused(f"{name} is not a parameter")
        self.declared, self.deployed, self.nested = {}, {}, {}
        # Types and versions in calls of reference().
        self.references = set()
        self.reader = None
        self.collect()

    @staticmethod
    def accept(name, about, value):
        kind = TYPES[about["type"].lower()]
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise Refused(f"{name}: {value!r} is not of type {about['type']}")
        if "allowedValues" in about and value not in about["allowedValues"]:
            raise Refused(f"{name}: {value!r} is not allowed")
        for bound, measure in (("minLength", len), ("minValue", int)):
            if bound in about and measure(value) < about[bound]:
                raise Refused(f"{name}: {value!r} is less than {bound}")
        for bound, measure in (("maxLength", len), ("maxValue", int)):
            if bound in about and measure(value) > about[bound]:
                raise Refused(f"{name}: {value!r} is more than {bound}")

    def collect(self):
        for resource in self.template["resources"]:
            key = self.identify(resource)
            if key in self.declared:
                raise Refused(f"{key} is declared twice")
            self.declared[key] = resource
        self.on = {key: self.value(resource.get("condition", True)) for key, resource in self.declared.items()}
        for key, resource in self.declared.items():
            for needed in map(self.value, resource.get("dependsOn", [])):
                if needed.lower() not in self.declared:
                    raise Refused(f"{key} depends on {needed}, which is not declared")
        pending = [key for key, is_on in self.on.items() if is_on]
        while pending:
            ready = [key for key in pending if all(each not in pending for each in self.needs(key))]
            if not ready:
                raise Refused(f"circular dependency: {pending}")
            for key in ready:
                self.reader = key
                self.deploy(key)
                pending.remove(key)
        self.reader = None
        self.outputs = {name: self.value(each["value"]) for name, each in self.template.get("outputs", {}).items()}

    def needs(self, key):
        return [self.value(each).lower() for each in self.declared[key].get("dependsOn", [])]

    def reaches(self, key, other):
        return other == key or any(self.reaches(each, other) for each in self.needs(key))

    def scope_of(self, resource):
        group = self.group
        if "resourceGroup" in resource:
            group = f"/subscriptions/{self.value(resource['subscriptionId'])}/resourceGroups/{self.value(resource['resourceGroup'])}"
        if "scope" in resource:
            scope = self.value(resource["scope"])
            if scope.startswith("/"):
                return scope
            provider, *rest = scope.split("/")
            return f"{group}/providers/{provider}/" + "/".join(rest)
        return group

    def identify(self, resource):
        kind, *levels = resource["type"].split("/")
        names = self.value(resource["name"]).split("/")
        if len(levels) != len(names):
            raise Refused(f"{resource['type']} cannot be named {'/'.join(names)}")
        path = "/".join(f"{level}/{name}" for level, name in zip(levels, names))
        return f"{self.scope_of(resource)}/providers/{kind}/{path}".lower()

    def deploy(self, key):
        resource = self.declared[key]
        if resource["type"] == "Microsoft.Resources/deployments":
            properties = resource["properties"]
            if properties["expressionEvaluationOptions"]["scope"].lower() != "inner":
                raise Refused(f"{key} is not evaluated in its own scope")
            given = {name: self.value(each["value"]) for name, each in properties["parameters"].items()}
            self.nested[key] = Deployment(properties["template"], given, self.cloud, self.scope_of(resource), self.known)
            outputs = self.nested[key].outputs
            self.deployed[key] = {"parameters": given, "outputs": {name: {"value": value} for name, value in outputs.items()}}
            return
        self.deployed[key] = {
            **{name: self.value(each) for name, each in resource.items() if name not in ("condition", "dependsOn")},
            "id": key,
        }

    def every(self):
        """All deployed resources, including those of nested deployments."""
        found = {key: each for key, each in self.deployed.items() if key not in self.nested}
        for inner in self.nested.values():
            found.update(inner.every())
        return found

    def of_type(self, kind):
        return [each for each in self.every().values() if each["type"] == kind]

    def value(self, value):
        if isinstance(value, dict):
            return {self.value(name): self.value(each) for name, each in value.items()}
        if isinstance(value, list):
            return [self.value(each) for each in value]
        if is_expression(value):
            return self.run(parse(value[1:-1]))
        if isinstance(value, str) and value.startswith("[["):
            return value[1:]
        return value

    def run(self, tree):
        if tree[0] == "value":
            return tree[1]
        if tree[0] in ("member", "index"):
            of = self.run(tree[1])
            at = tree[2] if tree[0] == "member" else self.run(tree[2])
            if isinstance(of, dict):
                for name, each in of.items():
                    if name.lower() == str(at).lower():
                        return each
            elif isinstance(of, list) and isinstance(at, int) and at < len(of):
                return of[at]
            raise Refused(f"{at!r} is out of bounds or missing in {of!r}")
        _, name, arguments = tree
        if name == "if":
            condition, then, otherwise = arguments
            chosen = self.run(condition)
            if not isinstance(chosen, bool):
                raise Refused(f"if() of {chosen!r}")
            return self.run(then if chosen else otherwise)
        function = getattr(self, f"f_{name}", None)
        if function is None:
            raise Refused(f"{name}() is not supported")
        return function(*map(self.run, arguments))

    def f_parameters(self, name):
        if name.lower() not in self.parameters:
            raise Refused(f"parameter {name} is not declared")
        return self.parameters[name.lower()]

    def f_variables(self, name):
        for each, value in self.template.get("variables", {}).items():
            if each.lower() == name.lower():
                if each not in self.variables:
                    try:
                        self.variables[each] = self.value(value)
                    except Refused as refused:
                        # As in Azure: the reader sees the name of the variable.
                        raise Refused(f"variable {each} is not valid: {refused}") from None
                return self.variables[each]
        raise Refused(f"variable {name} is not declared")

    def f_utcnow(self, form):
        return {"yyyy-MM-ddTHH:mm:ssZ": "2026-11-23T12:00:00Z"}[form]

    def f_uniquestring(self, *parts):
        return made_up(*parts)[:13]

    def f_guid(self, *parts):
        digits = made_up(*parts)
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:32]))

    def f_environment(self):
        return {"name": self.cloud, "suffixes": {"storage": SUFFIXES[self.cloud], "keyvaultDns": f".{VAULTS[self.cloud]}"}}

    def f_resourcegroup(self):
        return {"id": self.group, "name": self.group.split("/")[4], "location": "group-region"}

    def f_subscription(self):
        return {"tenantId": "tenant", "subscriptionId": self.group.split("/")[2]}

    def f_resourceid(self, *parts):
        at = next(index for index, part in enumerate(parts) if "." in part and "/" in part)
        kind, *levels = parts[at].split("/")
        names = parts[at + 1 :]
        if len(levels) != len(names):
            raise Refused(f"resourceId() of {parts!r}")
        before = {0: self.group, 2: "/subscriptions/{}/resourceGroups/{}".format(*(parts[:2] * 2)[:2])}[at]
        return f"{before}/providers/{kind}/" + "/".join(f"{level}/{name}" for level, name in zip(levels, names))

    def f_extensionresourceid(self, of, kind, name):
        provider, level = kind.split("/")
        return f"{of}/providers/{provider}/{level}/{name}"

    def f_subscriptionresourceid(self, kind, name):
        provider, level = kind.split("/")
        return f"{'/'.join(self.group.split('/')[:3])}/providers/{provider}/{level}/{name}"

    def f_reference(self, target, version=None, full=None):
        key = target.lower()
        provider, *levels = target.split("/providers/")[-1].split("/")
        self.references.add(("/".join([provider, *levels[::2]]), version))
        if key in self.known:
            return self.known[key] if full else self.known[key]["properties"]
        if key not in self.declared:
            raise Refused(f"reference() of {target}, which is neither declared nor existing")
        if not self.on[key]:
            raise Refused(f"reference() of {target}, which is not deployed")
        if key not in self.deployed:
            raise Refused(f"reference() of {target} before it is deployed")
        if self.reader and not self.reaches(self.reader, key):
            raise Refused(f"{self.reader} references {target} without depending on it")
        if key in self.nested:
            return {"outputs": self.deployed[key]["outputs"]}
        kind, name = self.deployed[key]["type"], self.deployed[key]["name"]
        if kind == "Microsoft.ManagedIdentity/userAssignedIdentities":
            return {"principalId": "principal of the identity", "clientId": "client of the identity"}
        if kind == "Microsoft.Insights/components":
            return {"ConnectionString": "InstrumentationKey=made-up"}
        if kind == "Microsoft.Insights/dataCollectionRules":
            end = INGESTION[self.cloud]
            return {
                "immutableId": "dcr-" + made_up(key)[:32],
                "endpoints": {"logsIngestion": f"https://{name}.region.ingest.monitor.azure.{end}"},
            }
        raise Refused(f"reference() of {kind} is not supported")
