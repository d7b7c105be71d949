"""Runs KQL on given rows with duckdb-kql, which approximates Kusto.

stdin:  a list of
        {"tables": {name: {"columns": {column: type}, "rows": [{column: value}]}}, "functions": {name: body},
         "now": RFC 3339, "queries": [{"name", "text"}]}
stdout: for each a list of {"name", "rows": [{column: value}]} or {"name", "error": text}, in the order of the queries
"""

import datetime
import json
import re
import sys
import tempfile

import duckdb_kql
import duckdb_kql.engine

TYPES = {
    "string": "VARCHAR",
    "real": "DOUBLE",
    "long": "BIGINT",
    "int": "INTEGER",
    "bool": "BOOLEAN",
    "datetime": "TIMESTAMP",
    "dynamic": "JSON",
}

# The column in every table for the ingestion time, which Log Analytics keeps outside the columns.
INGESTED = "ingested_at"


def calls(text, name):
    """The calls of a function as (start, arguments, end), from the left; quoted brackets are ignored."""
    for match in re.finditer(r"\b" + name + r"\s*\(", text):
        position, depth, quote = match.end(), 1, None
        while depth:
            character = text[position]
            if quote:
                quote = None if character == quote else quote
            elif character in "\"'":
                quote = character
            else:
                depth += (character == "(") - (character == ")")
            position += 1
        yield match.start(), text[match.end() : position - 1], position


def replace(text, name, written):
    """Replaces every call of a function by `written(arguments)`."""
    while call := next(calls(text, name), None):
        start, arguments, end = call
        text = text[:start] + written(arguments) + text[end:]
    return text


def supported(text, columns):
    """Rewrites parts of the query that duckdb-kql does not support."""

    def column_or(arguments):
        column, other = re.match(r'\s*"(\w+)"\s*,\s*(.*)$', arguments, re.DOTALL).groups()
        return column if column in columns else f"({other})"

    # Remove comments first, because they contain function names too.
    text = "\n".join(re.sub(r"^\s*//.*", "", line) for line in text.split("\n"))
    text = replace(text, "column_ifexists", column_or)
    text = replace(text, "ingestion_time", lambda _: INGESTED)
    # Current times in milliseconds overflow the number by which an interval is multiplied.
    for unit, per_second in (("seconds", 1), ("milliseconds", 1000)):
        text = replace(
            text,
            f"unixtime_{unit}_todatetime",
            lambda arguments, per_second=per_second: f"(datetime(1970-01-01) + (({arguments}) / {per_second}) * 1s)",
        )
    return text


def moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(datetime.timezone.utc)


def create(connection, name, table):
    """Creates a table with its rows from a file: inserting one row with this many columns takes ten milliseconds."""
    columns = table["columns"]
    declared = ", ".join(f'"{column}" {TYPES[kind]}' for column, kind in columns.items())
    connection.execute(f'CREATE TABLE "{name}" ({declared})')
    if not table["rows"]:
        return
    times = {column for column, kind in columns.items() if kind == "datetime"}
    with tempfile.NamedTemporaryFile("w", suffix=".ndjson") as file:
        for row in table["rows"]:
            unknown = set(row) - set(columns)
            if unknown:
                raise ValueError(f"{name} has no column {sorted(unknown)}")
            row = {column: str(moment(given).replace(tzinfo=None)) if column in times else given for column, given in row.items()}
            print(json.dumps(row), file=file)
        file.flush()
        types = ", ".join(f"'{column}': '{TYPES[kind]}'" for column, kind in columns.items())
        source = f"read_json('{file.name}', format = 'newline_delimited', columns = {{{types}}})"
        connection.execute(f'INSERT INTO "{name}" BY NAME SELECT * FROM {source}')


# Cache of SQL texts by query, columns and time; translating takes as long as running.
translated = {}


def in_sql(connection, text, columns, now):
    key = text, tuple(sorted(columns)), now
    if key not in translated:
        schema = duckdb_kql.engine.schema(connection)
        translated[key] = duckdb_kql.to_sql(supported(text, columns), schema=schema, query_now=now)
    return translated[key]


def plain(result):
    if isinstance(result, (datetime.datetime, datetime.date)):
        return result.isoformat()
    if isinstance(result, datetime.timedelta):
        return result.total_seconds()
    return result


def run(world):
    now = moment(world["now"])
    connection = duckdb_kql.connect()
    # Tables are small and queries long, so that optimization takes longer than it saves.
    connection.execute("PRAGMA disable_optimizer")
    connection.execute("SET threads = 1")
    columns = set()
    for name, table in world["tables"].items():
        table["columns"][INGESTED] = "datetime"
        columns |= set(table["columns"])
        create(connection, name, table)
    for name, body in world["functions"].items():
        # A function without parameters is a table with its result.
        connection.execute(f'CREATE TABLE "{name}" AS {in_sql(connection, body, columns, now)}')
    results = []
    for query in world["queries"]:
        output = {"name": query["name"]}
        try:
            sql = in_sql(connection, query["text"], columns, now)
            result = connection.execute(sql, sql.parameters or None)
            names = [column[0] for column in result.description]
            output["rows"] = [dict(zip(names, map(plain, row))) for row in result.fetchall()]
        except Exception as error:  # any error of the engine is a result
            output["error"] = f"{type(error).__name__}: {error}"
        results.append(output)
    return results


json.dump([run(world) for world in json.load(sys.stdin)], sys.stdout)
