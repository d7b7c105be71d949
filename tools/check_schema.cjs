// Validates JSON documents against a schema:   node check_schema.cjs SCHEMA < ARRAY_OF_DOCUMENTS
// Prints a list of errors per document; an invalid schema exits with code 1.
const { readFileSync } = require("node:fs");
const { createRequire } = require("node:module");
const { join } = require("node:path");

const installed = createRequire(join(__dirname, "../.tools/node/"));
const Ajv = installed("ajv/dist/2020").default;

const schema = JSON.parse(readFileSync(process.argv[2], "utf8"));
const validate = new Ajv({ strict: true, allErrors: true, allowUnionTypes: true }).compile(schema);
const documents = JSON.parse(readFileSync(0, "utf8"));
const errors = documents.map((document) => (validate(document) ? [] : validate.errors.map((error) => `${error.instancePath} ${error.message}`)));
console.log(JSON.stringify(errors));
