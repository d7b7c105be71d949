"""What the parameters become: settings of the app, and other values; and their bounds, which are those of the program."""

import re

# The setting that each of these parameters becomes, without the blanks around it.
SETTINGS = {
    "CiscoDuoApiHostname": "CISCO_DUO_API_HOSTNAME",
    "CiscoDuoLogTypes": "CISCO_DUO_LOG_TYPES",
    "MicrosoftSentinelWorkspaceId": "WORKSPACE_ID",
    "CiscoDuoStart": "CISCO_DUO_START",
    "CiscoDuoLookbackHours": "CISCO_DUO_LOOKBACK_HOURS",
    "MaxSyncWindowPerRunMinutes": "MAX_SYNC_WINDOW_PER_RUN_MINUTES",
    "CiscoDuoSettleSeconds": "CISCO_DUO_SETTLE_SECONDS",
    "CiscoDuoCallsPerMinute": "CISCO_DUO_CALLS_PER_MINUTE",
    "CiscoDuoParkSeconds": "CISCO_DUO_PARK_SECONDS",
    "CiscoDuoRunSeconds": "CISCO_DUO_RUN_SECONDS",
    "CiscoDuoTimeGenerated": "CISCO_DUO_TIME_GENERATED",
    "CiscoDuoHealth": "CISCO_DUO_HEALTH",
    "CiscoDuoSignature": "CISCO_DUO_SIGNATURE",
    "LogsIngestionGzip": "LOGS_INGESTION_GZIP",
}
SOURCES = ("src/settings/mod.rs", "src/settings/function_timeout.rs")


def carried(result, given, site, settings):
    """What was given comes out as it was given."""
    for name, setting in SETTINGS.items():
        assert settings[setting] == str(given[name]).strip(), f"{setting} is {settings[setting]!r}, given was {given[name]!r}"
    assert site["name"].startswith(given["FunctionName"].lower())
    if given["HostingPlan"] == "FlexConsumption":
        scale = site["properties"]["functionAppConfig"]["scaleAndConcurrency"]
        assert scale["instanceMemoryMB"] == given["InstanceMemoryMB"]
    for rule in result.of_type("Microsoft.Insights/dataCollectionRules"):
        assert rule["name"] == given["DataCollectionRuleName"]
        flow = rule["properties"]["dataFlows"][0]
        assert flow["transformKql"] == given["TransformKql"], flow
    own = [each for key, each in result.deployed.items() if key not in result.nested]
    assert {each["location"] for each in own if "location" in each} - {"Global"} == {given["Location"]}


def number(text, constants):
    """Products of numbers and constants, which is all that the sources write there."""
    product = 1
    for factor in text.split("*"):
        factor = factor.strip()
        product *= number(constants[factor], constants) if factor in constants else int(factor.replace("_", ""))
    return product


def bounds_of_the_program():
    """(least, most, default) of each setting that is a number, as the sources have it."""
    found = {}
    for file in SOURCES:
        with open(file, encoding="utf-8") as text:
            source = text.read()
        constants = dict(re.findall(r"const (\w+): i64 = ([^;]+);", source))
        for setting, *three in re.findall(r"\.number\(\s*\"(\w+)\",\s*([^.,]+)\.\.=([^,]+),\s*([^,)]+?),?\s*\)", source):
            found[setting] = tuple(number(each, constants) for each in three)
    return found


def bounds(template):
    """A number that the template takes is one that the program takes, and the other way round."""
    program = bounds_of_the_program()
    numbers = {name for name, about in template["parameters"].items() if about["type"] == "int" and name in SETTINGS}
    assert set(program) == {SETTINGS[name] for name in numbers}, f"{set(program)} in {SOURCES}"
    for name in numbers:
        about = template["parameters"][name]
        stands = (about["minValue"], about.get("maxValue"), about["defaultValue"])
        assert stands == program[SETTINGS[name]], f"{name}: {stands}, but the program has {program[SETTINGS[name]]}"
    return len(numbers)
