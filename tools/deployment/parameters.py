"""The settings and other values set by parameters. `cargo test --test program agreement` compares their bounds."""

# The setting of each of these parameters, trimmed.
SETTINGS = {
    "CiscoDuoApiHostname": "CISCO_DUO_API_HOSTNAME",
    "CiscoDuoLogTypes": "CISCO_DUO_LOG_TYPES",
    "MicrosoftSentinelWorkspaceId": "WORKSPACE_ID",
    "CiscoDuoStartTime": "CISCO_DUO_START_TIME",
    "CiscoDuoLookbackHours": "CISCO_DUO_LOOKBACK_HOURS",
    "MaxSyncWindowPerRunMinutes": "MAX_SYNC_WINDOW_PER_RUN_MINUTES",
    "CiscoDuoWindowDelaySeconds": "CISCO_DUO_WINDOW_DELAY_SECONDS",
    "CiscoDuoRequestsPerMinute": "CISCO_DUO_REQUESTS_PER_MINUTE",
    "CiscoDuoThrottleBackoffSeconds": "CISCO_DUO_THROTTLE_BACKOFF_SECONDS",
    "CiscoDuoRunTimeLimitSeconds": "CISCO_DUO_RUN_TIME_LIMIT_SECONDS",
    "CiscoDuoTimeGenerated": "CISCO_DUO_TIME_GENERATED",
    "CiscoDuoHealth": "CISCO_DUO_HEALTH",
    "CiscoDuoSignature": "CISCO_DUO_SIGNATURE",
    "LogsIngestionGzip": "LOGS_INGESTION_GZIP",
}


def carried(result, given, site, settings):
    """Values are passed on as given."""
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
