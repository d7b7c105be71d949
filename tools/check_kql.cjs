// Checks queries with Microsoft's Kusto language service, given the tables and functions they may use.
//
// stdin:  a list of {"tables": {name: {column: type}}, "functions": {name: body or {"parameters", "body"}},
//         "queries": [{"name", "text"}]}
// stdout: for each a list of {"name", "problems": ["line 3: ..."], "columns": {name: type}}, in the order of the queries
'use strict';
const fs = require('fs');
const path = require('path');
const vm = require('vm');

// The package is C# translated to scripts that fill the global object.
const folder = path.join(__dirname, '../.tools/node/node_modules/@kusto/language-service-next');
for (const script of ['bridge.min.js', 'Kusto.Language.Bridge.min.js']) {
  const file = path.join(folder, script);
  vm.runInThisContext(fs.readFileSync(file, 'utf8'), { filename: file });
}
const { KustoCode, GlobalState, Symbols, Editor } = globalThis.Kusto.Language;
const array = (list) => globalThis.Bridge.toArray(list);

function table(name, columns) {
  const declared = Object.entries(columns).map(([column, type]) => `['${column}']: ${type}`);
  return Symbols.TableSymbol.From(`(${declared.join(', ')})`).WithName(name);
}

// Overloads are numbered in the translation. These numbers are those of the release in package.json; the result is
// verified, so that another release cannot select another overload unnoticed.
function storedFunction(name, { parameters = '', body }) {
  const symbol = new Symbols.FunctionSymbol.$ctor16(name, `(${parameters})`, `{${body}\n}`, null);
  if (symbol.Name !== name || !array(symbol.Signatures)[0].Body) throw new Error('FunctionSymbol(name, parameters, body) has another number');
  return symbol;
}

function database(members) {
  const symbol = new Symbols.DatabaseSymbol.$ctor3('workspace', null, members, false);
  if (array(symbol.Members).length !== members.length) throw new Error('DatabaseSymbol(name, members) has another number');
  return symbol;
}

function lineOf(text, position) {
  return text.slice(0, position).split('\n').length;
}

// `union isfuzzy=true` is meant for tables that may not exist.
const MAY_BE_MISSING = 'KS205';

function check({ name, text }, globals) {
  const code = KustoCode.ParseAndAnalyze(text, globals);
  const diagnostics = [...array(code.GetDiagnostics()), ...array(new Editor.KustoCodeService.ctor(code).GetAnalyzerDiagnostics(true))];
  const problems = diagnostics
    .filter((one) => (one.Severity === 'Error' || one.Severity === 'Warning') && one.Code !== MAY_BE_MISSING)
    .map((one) => `line ${lineOf(text, one.Start)}: ${one.Severity.toLowerCase()} ${one.Code}: ${one.Message}`);
  const result = code.ResultType;
  const columns = result && result.Columns ? array(result.Columns).map((column) => [column.Name, column.Type.Name]) : [];
  const names = columns.map(([column]) => column);
  const twice = names.filter((column, index) => names.indexOf(column) !== index);
  problems.push(...twice.map((column) => `the output has two columns ${column}`));
  return { name, problems: [...new Set(problems)], columns: Object.fromEntries(columns) };
}

function checkAll({ tables, functions, queries }) {
  const members = [
    ...Object.entries(tables).map(([name, columns]) => table(name, columns)),
    ...Object.entries(functions).map(([name, body]) => storedFunction(name, typeof body === 'string' ? { body } : body)),
  ];
  const globals = GlobalState.Default.WithDatabase(database(members));
  return queries.map((query) => check(query, globals));
}

process.stdout.write(JSON.stringify(JSON.parse(fs.readFileSync(0, 'utf8')).map(checkAll)));
