// Prints the path of the browser that the tests drive: the first of DUO_SENTINEL_BROWSER and the names below in PATH that
// shows a page. Ends with 1 if none does.
const { spawnSync } = require("node:child_process");
const { existsSync } = require("node:fs");
const { delimiter, join } = require("node:path");

const NAMES = ["google-chrome", "google-chrome-stable", "chromium", "chromium-browser"];
// The script has to run: a program that only repeats its arguments is no browser.
const PAGE = "data:text/html,<script>document.write('shown ' + 6 * 7)</script>";

function showsAPage(executablePath, sandbox) {
  const options = [...(sandbox ? [] : ["--no-sandbox"]), "--headless", "--disable-gpu", "--dump-dom", PAGE];
  const { status, stdout } = spawnSync(executablePath, options, { encoding: "utf8", killSignal: "SIGKILL", timeout: 30_000 });
  return status === 0 && stdout.includes("shown 42");
}

// What Playwright launches. Chromium refuses to run as root with its sandbox: only there, as in a container, it is given up.
function browser() {
  const chromiumSandbox = process.getuid?.() !== 0;
  const folders = (process.env.PATH ?? "").split(delimiter);
  const inPath = NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).filter(existsSync);
  const candidates = [process.env.DUO_SENTINEL_BROWSER, ...inPath].filter(Boolean);
  const executablePath = candidates.find((candidate) => showsAPage(candidate, chromiumSandbox));
  return executablePath && { executablePath, chromiumSandbox };
}

module.exports = { browser };

if (require.main === module) {
  const found = browser();
  if (found) console.log(found.executablePath);
  process.exitCode = found ? 0 : 1;
}
