// Prints the path of the browser for the tests: the first of DUO_SENTINEL_BROWSER and the names below in PATH that can
// render a page. Exits with code 1 if none can.
const { spawnSync } = require("node:child_process");
const { existsSync } = require("node:fs");
const { delimiter, join } = require("node:path");

const NAMES = ["google-chrome", "google-chrome-stable", "chromium", "chromium-browser"];
// The script must run: a program that only prints its arguments is not a browser.
const PAGE = "data:text/html,<script>document.write('shown ' + 6 * 7)</script>";

function canRender(executablePath, sandbox) {
  const options = [...(sandbox ? [] : ["--no-sandbox"]), "--headless", "--disable-gpu", "--dump-dom", PAGE];
  const { status, stdout } = spawnSync(executablePath, options, { encoding: "utf8", killSignal: "SIGKILL", timeout: 30_000 });
  return status === 0 && stdout.includes("shown 42");
}

// Options for Playwright. Chromium does not run as root with its sandbox, so it is disabled only there, as in a container.
function browser() {
  const chromiumSandbox = process.getuid?.() !== 0;
  const folders = (process.env.PATH ?? "").split(delimiter);
  const inPath = NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).filter(existsSync);
  const candidates = [process.env.DUO_SENTINEL_BROWSER, ...inPath].filter(Boolean);
  const executablePath = candidates.find((candidate) => canRender(candidate, chromiumSandbox));
  return executablePath && { executablePath, chromiumSandbox };
}

module.exports = { browser };

if (require.main === module) {
  const found = browser();
  if (found) console.log(found.executablePath);
  process.exitCode = found ? 0 : 1;
}
