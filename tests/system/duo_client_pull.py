"""Reads one log from a Duo Admin API with Duo's own client and prints the events.

Reads one JSON object from stdin: port, integration_key, secret_key, signature (5 or 2), log, mintime and maxtime in
milliseconds. Prints {"ids": [...], "pages": N}, or {"status": N, "body": {...}} for an error response of Duo.
"""

import collections
import json
import sys

from duo_client import Admin

LIMIT = 30


def identity(event):
    """The whole event: not every log has an id, and a transaction may be logged more than once under its id."""
    return json.dumps(event, sort_keys=True)


def by_cursor(pull, field):
    """Yields the pages of a v2 log; Duo's client leaves paging to the caller."""
    cursor = {}
    while True:
        response = pull(**cursor)
        yield response[field]
        following = response["metadata"].get("next_offset")
        if not following or not response[field]:
            return
        # Authentication returns the cursor in two parts, which are sent back joined.
        if isinstance(following, list):
            following = ",".join(following)
        cursor = {"next_offset": following}


def by_second(pull, mintime, maxtime):
    """Yields the pages of a v1 log, which has no cursor: the last second is requested again."""
    seen = collections.Counter()
    while True:
        page = [event for event in pull(mintime) if event["timestamp"] <= maxtime]
        # Counted, because two records of one second may be identical.
        found = collections.Counter(identity(event) for event in page)
        yield [json.loads(event) for event in (found - seen).elements()]
        seen |= found
        last = max((event["timestamp"] for event in page), default=mintime)
        if last == mintime:
            return
        mintime = last


def pages(admin, log, mintime, maxtime):
    """The pages of a log, with the method of Duo's client for it."""
    both = {"mintime": mintime, "maxtime": maxtime, "limit": LIMIT}
    seconds = (mintime // 1000, maxtime // 1000)
    if log == "authentication":
        text = {**both, "limit": str(LIMIT), "sort": "ts:asc"}
        return by_cursor(lambda **cursor: admin.get_authentication_log(api_version=2, **text, **cursor), "authlogs")
    if log == "activity":
        return by_cursor(lambda **cursor: admin.get_activity_logs(**both, sort="ts:asc", **cursor), "items")
    if log == "telephony":
        return by_cursor(
            lambda **cursor: admin.get_telephony_log(api_version=2, **both, sort="asc", **cursor), "items"
        )
    if log == "administrator":
        return by_second(admin.get_administrator_log, *seconds)
    if log == "offline_enrollment":
        return by_second(admin.get_offline_log, *seconds)
    if log == "trust_monitor":
        return [list(admin.get_trust_monitor_events_iterator(mintime, maxtime))]
    raise SystemExit(f"unknown log {log}")


def main():
    request = json.load(sys.stdin)
    admin = Admin(
        ikey=request["integration_key"],
        skey=request["secret_key"],
        host="127.0.0.1",
        port=request["port"],
        ca_certs="HTTP",
        paging_limit=LIMIT,
        sig_version=request["signature"],
    )
    try:
        found = list(pages(admin, request["log"], request["mintime"], request["maxtime"]))
    except RuntimeError as error:
        print(json.dumps({"status": error.status, "body": error.data}))
        return
    ids = [identity(event) for page in found for event in page]
    print(json.dumps({"ids": ids, "pages": len(found)}))


if __name__ == "__main__":
    main()
