// Holds JSON against a schema:   node check_schema.cjs SCHEMA < ARRAY_OF_DOCUMENTS
// Prints a list of faults for each document; an unsound schema ends it with 1.
const { readFileSync } = require("node:fs");
const { createRequire } = require("node:module");
const { join } = require("node:path");

const installed = createRequire(join(__dirname, "../.tools/node/"));
const Ajv = installed("ajv/dist/2020").default;

const schema = JSON.parse(readFileSync(process.argv[2], "utf8"));
const holds = new Ajv({ strict: true, allErrors: true, allowUnionTypes: true }).compile(schema);
const documents = JSON.parse(readFileSync(0, "utf8"));
const faults = documents.map((document) => (holds(document) ? [] : holds.errors.map((error) => `${error.instancePath} ${error.message}`)));
console.log(JSON.stringify(faults));
