"""Runs KQL on given rows with duckdb-kql, which is close to Kusto and not Kusto.

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

# Stands in every table for what Log Analytics keeps beside each row.
INGESTED = "ingested_at"


def calls(text, name):
    """The calls of a function as (start, arguments, end), the first first; quoted brackets are no brackets."""
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
    """Every call of a function, written anew by `written(arguments)`."""
    while call := next(calls(text, name), None):
        start, arguments, end = call
        text = text[:start] + written(arguments) + text[end:]
    return text


def within_reach(text, columns):
    """The query without what duckdb-kql does not know, where that can be said in other words."""

    def column_or(arguments):
        column, other = re.match(r'\s*"(\w+)"\s*,\s*(.*)$', arguments, re.DOTALL).groups()
        return column if column in columns else f"({other})"

    # Comments first: they speak of functions too.
    text = "\n".join(re.sub(r"^\s*//.*", "", line) for line in text.split("\n"))
    text = replace(text, "column_ifexists", column_or)
    text = replace(text, "ingestion_time", lambda _: INGESTED)
    # Milliseconds of today do not fit the number that an interval is multiplied with.
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
    """A table with its rows, by way of a file: one insertion of a row into so many columns takes ten milliseconds."""
    columns = table["columns"]
    declared = ", ".join(f'"{column}" {TYPES[kind]}' for column, kind in columns.items())
    connection.execute(f'CREATE TABLE "{name}" ({declared})')
    if not table["rows"]:
        return
    times = {column for column, kind in columns.items() if kind == "datetime"}
    with tempfile.NamedTemporaryFile("w", suffix=".ndjson") as file:
        for row in table["rows"]:
            strange = set(row) - set(columns)
            if strange:
                raise ValueError(f"{name} has no column {sorted(strange)}")
            row = {column: str(moment(given).replace(tzinfo=None)) if column in times else given for column, given in row.items()}
            print(json.dumps(row), file=file)
        file.flush()
        types = ", ".join(f"'{column}': '{TYPES[kind]}'" for column, kind in columns.items())
        source = f"read_json('{file.name}', format = 'newline_delimited', columns = {{{types}}})"
        connection.execute(f'INSERT INTO "{name}" BY NAME SELECT * FROM {source}')


# What a text is in SQL, with the columns it may find and the time it is run; to say it takes as long as to run it.
said = {}


def in_sql(connection, text, columns, now):
    key = text, tuple(sorted(columns)), now
    if key not in said:
        schema = duckdb_kql.engine.schema(connection)
        said[key] = duckdb_kql.to_sql(within_reach(text, columns), schema=schema, query_now=now)
    return said[key]


def plain(result):
    if isinstance(result, (datetime.datetime, datetime.date)):
        return result.isoformat()
    if isinstance(result, datetime.timedelta):
        return result.total_seconds()
    return result


def run(world):
    now = moment(world["now"])
    connection = duckdb_kql.connect()
    # Small tables, long queries: to plan them well takes longer than to run them badly.
    connection.execute("PRAGMA disable_optimizer")
    connection.execute("SET threads = 1")
    columns = set()
    for name, table in world["tables"].items():
        table["columns"][INGESTED] = "datetime"
        columns |= set(table["columns"])
        create(connection, name, table)
    for name, body in world["functions"].items():
        # A function without parameters is what it returns.
        connection.execute(f'CREATE TABLE "{name}" AS {in_sql(connection, body, columns, now)}')
    answers = []
    for query in world["queries"]:
        answer = {"name": query["name"]}
        try:
            sql = in_sql(connection, query["text"], columns, now)
            result = connection.execute(sql, sql.parameters or None)
            names = [column[0] for column in result.description]
            answer["rows"] = [dict(zip(names, map(plain, row))) for row in result.fetchall()]
        except Exception as error:  # whatever the engine says is the answer
            answer["error"] = f"{type(error).__name__}: {error}"
        answers.append(answer)
    return answers


json.dump([run(world) for world in json.load(sys.stdin)], sys.stdout)
