// Prints the path of the browser that the tests drive: the first of DUO_SENTINEL_BROWSER and the names below in PATH that
// shows a page. One that does not is skipped, with the reason on stderr. Ends with 1 if none does.
const { spawnSync } = require("node:child_process");
const { accessSync, constants, mkdtempSync, rmSync } = require("node:fs");
const { tmpdir } = require("node:os");
const { delimiter, join } = require("node:path");

const NAMES = ["google-chrome", "google-chrome-stable", "chromium", "chromium-browser"];
// The script has to run: a program that only repeats its arguments is no browser.
const PAGE = "data:text/html,<script>document.write('shown ' + 6 * 7)</script>";
const SHOWN = "shown 42";
const LONGEST_START_MS = 30_000;

function isProgram(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function inPath(name) {
  const folders = (process.env.PATH ?? "").split(delimiter).filter(Boolean);
  return folders.map((folder) => join(folder, name)).filter(isProgram);
}

function candidates() {
  const named = process.env.DUO_SENTINEL_BROWSER;
  const first = !named || named.includes("/") ? [named] : [inPath(named)[0] ?? named];
  return [...new Set([...first, ...NAMES.flatMap(inPath)])].filter(Boolean);
}

// Why the browser does not show a page; undefined if it does.
function failure(executablePath, chromiumSandbox) {
  const profile = mkdtempSync(join(tmpdir(), "browser-"));
  const sandbox = chromiumSandbox ? [] : ["--no-sandbox"];
  const options = ["--headless", "--disable-gpu", "--no-first-run", `--user-data-dir=${profile}`, "--dump-dom"];
  const { error, signal, status, stdout, stderr } = spawnSync(executablePath, [...sandbox, ...options, PAGE], {
    encoding: "utf8",
    killSignal: "SIGKILL",
    stdio: ["ignore", "pipe", "pipe"],
    timeout: LONGEST_START_MS,
  });
  rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  if (error?.code === "ETIMEDOUT") return `no page within ${LONGEST_START_MS / 1000} s`;
  if (error) return error.message;
  if (status === 0 && stdout.includes(SHOWN)) return undefined;
  const ending = status === 0 ? "it does not show a page" : (signal ?? `exit code ${status}`);
  return [ending, stderr.trim().split("\n")[0]].filter(Boolean).join(": ");
}

// What Playwright launches. Chromium refuses to run as root with its sandbox: only there, as in a container, it is given up.
function browser() {
  const chromiumSandbox = process.getuid?.() !== 0;
  for (const executablePath of candidates()) {
    const reason = failure(executablePath, chromiumSandbox);
    if (!reason) return { executablePath, chromiumSandbox };
    console.error(`skipped ${executablePath}: ${reason}`);
  }
  return undefined;
}

module.exports = { browser };

if (require.main === module) {
  const found = browser();
  if (found) console.log(found.executablePath);
  process.exitCode = found ? 0 : 1;
}
