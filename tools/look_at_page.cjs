// Looks at a page as people do, in a real browser: light and dark, on a desk and on a phone, by keyboard alone.
//
//   node look_at_page.cjs ADDRESS SCREENSHOTS    prints what it found as JSON
//
// SCREENSHOTS is the beginning of the names of the pictures.
const { createRequire } = require("node:module");
const { join } = require("node:path");
const { browser } = require("./browser.cjs");

const installed = createRequire(join(__dirname, "../.tools/node/"));
const { chromium } = installed("playwright-core");
const axe = installed("axe-core");

const [address, screenshots] = process.argv.slice(2);
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const SCHEMES = ["light", "dark"];
const SIZES = { desk: { width: 1280, height: 900 }, phone: { width: 390, height: 844 } };
// What is seen first on a desk, without the empty margins: the picture for a document.
const TOP = { x: 120, y: 0, width: 1040, height: 1185 };
// More than any page has places for the keyboard.
const MOST_TABS = 200;

// These run in the page.

// Everything that the keyboard has to reach, in the order of the document, and what can be scrolled and says no word about it.
function places() {
  const scrolls = (element) =>
    ["auto", "scroll"].includes(getComputedStyle(element).overflowX) && element.scrollWidth > element.clientWidth;
  const isShown = (element) => element.checkVisibility();
  const wanted = (element) => element.matches("a[href], summary, button, input, [tabindex='0']") || scrolls(element);
  const all = [...document.body.querySelectorAll("*")].filter(isShown);
  return {
    order: all.filter(wanted).map((element) => window.nameOf(element)),
    mute: all.filter((element) => scrolls(element) && !(element.tabIndex === 0 && element.ariaLabel && element.role)).map(window.nameOf),
  };
}

// Where the keyboard is, and how it is seen there.
function place() {
  const element = document.activeElement;
  if (!element || element === document.body) return null;
  const style = getComputedStyle(element);
  const box = element.getBoundingClientRect();
  return {
    name: window.nameOf(element),
    outline: style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth),
    colour: style.outlineColor,
    isInView: box.bottom > 0 && box.top < innerHeight && box.width > 0,
    isSummary: element.localName === "summary",
  };
}

function measure() {
  const [paint] = performance.getEntriesByName("first-contentful-paint");
  const [navigation] = performance.getEntriesByType("navigation");
  return {
    // Of the page itself: how long the answer takes is the business of other tests.
    paint: paint.startTime - navigation.responseStart,
    overflow: document.documentElement.scrollWidth - innerWidth,
    unnamed: [...document.querySelectorAll("svg:not([aria-hidden])")].filter((svg) => !svg.ariaLabel || svg.getAttribute("role") !== "img").length,
    violations: window.policyViolations,
  };
}

function prepare() {
  window.policyViolations = [];
  document.addEventListener("securitypolicyviolation", (event) => window.policyViolations.push(event.violatedDirective));
  window.nameOf = (element) => {
    const same = [...document.querySelectorAll(element.localName)];
    return `${element.localName} ${same.indexOf(element)}: ${element.ariaLabel ?? element.textContent.trim()}`;
  };
}

async function byKeyboard(page) {
  const stops = [];
  const closed = [];
  for (let tab = 0; tab < MOST_TABS; tab += 1) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate(place);
    if (!stop || stops.some((before) => before.name === stop.name)) break;
    stops.push(stop);
    if (stop.isSummary) {
      await page.keyboard.press("Enter");
      if (!(await page.evaluate(() => document.activeElement.parentElement.open))) closed.push(stop.name);
    }
  }
  return { stops, closed, ...(await page.evaluate(places)) };
}

async function look(started, scheme, size) {
  const context = await started.newContext({
    colorScheme: scheme,
    viewport: SIZES[size],
  });
  await context.addInitScript(prepare);
  const page = await context.newPage();
  const complaints = [];
  const requests = [];
  page.on("console", (message) => complaints.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => requests.push(request.url()));
  const answer = await page.goto(address, { waitUntil: "load" });
  await page.screenshot({ path: `${screenshots}-${scheme}-${size}.png`, fullPage: true });
  if (size === "desk") await page.screenshot({ path: `${screenshots}-${scheme}-top.png`, clip: TOP, fullPage: true });
  const measured = await page.evaluate(measure);
  // Details that are closed hide what is in them from axe too: it looks again once the keyboard opened them.
  await page.evaluate(axe.source);
  const run = async () =>
    (await page.evaluate((values) => window.axe.run({ runOnly: { type: "tag", values } }), RULES)).violations.flatMap((rule) =>
      rule.nodes.map((node) => `${rule.id}: ${node.html.slice(0, 200)}`),
    );
  const before = await run();
  const keyboard = await byKeyboard(page);
  const after = await run();
  const opened = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  await page.screenshot({ path: `${screenshots}-${scheme}-${size}-open.png`, fullPage: true });
  const bytes = (await answer.body()).length;
  await context.close();
  const barriers = [...new Set([...before, ...after])];
  const overflow = Math.max(measured.overflow, opened);
  return { scheme, size, bytes, ...measured, overflow, barriers, complaints, requests, ...keyboard };
}

async function main() {
  const found = browser();
  if (!found) throw new Error("no browser: run tools/setup");
  const started = await chromium.launch(found);
  const looks = [];
  for (const scheme of SCHEMES) for (const size of Object.keys(SIZES)) looks.push(await look(started, scheme, size));
  await started.close();
  console.log(JSON.stringify(looks));
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
