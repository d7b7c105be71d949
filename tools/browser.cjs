// Prints the path of the browser that the tests drive: the one that DUO_SENTINEL_BROWSER names, or one of the Chromium family
// in PATH. Ends with 1 where there is none.
const { accessSync, constants } = require("node:fs");
const { delimiter, join } = require("node:path");

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge"];

function isProgram(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function browser() {
  const named = process.env.DUO_SENTINEL_BROWSER;
  if (named) return named;
  const folders = (process.env.PATH ?? "").split(delimiter);
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(isProgram);
}

module.exports = { browser };

if (require.main === module) {
  const found = browser();
  if (found) console.log(found);
  process.exitCode = found ? 0 : 1;
}
