// Examines a page in a real browser: light and dark, on desktop and phone size, and by keyboard.
//
//   node look_at_page.cjs ADDRESS SCREENSHOTS    prints the results as JSON
//
// SCREENSHOTS is the prefix of the names of the screenshots.
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
// The top of the page on a desktop without the empty margins: the screenshot for the documentation.
const TOP = { x: 120, y: 0, width: 1040, height: 1185 };
// More than the focusable elements of any page.
const MOST_TABS = 200;

// These run in the page.

// All elements that must be focusable, in document order, and scrollable elements without a label.
function focusable() {
  const scrolls = (element) =>
    ["auto", "scroll"].includes(getComputedStyle(element).overflowX) && element.scrollWidth > element.clientWidth;
  const isShown = (element) => element.checkVisibility();
  const isFocusable = (element) => element.matches("a[href], summary, button, input, [tabindex='0']") || scrolls(element);
  const all = [...document.body.querySelectorAll("*")].filter(isShown);
  return {
    order: all.filter(isFocusable).map((element) => window.nameOf(element)),
    unlabelled: all.filter((element) => scrolls(element) && !(element.tabIndex === 0 && element.ariaLabel && element.role)).map(window.nameOf),
  };
}

// The focused element, and how its focus is shown.
function focused() {
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
    // Paint time of the page alone, without the response time.
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
    const stop = await page.evaluate(focused);
    if (!stop || stops.some((before) => before.name === stop.name)) break;
    stops.push(stop);
    if (stop.isSummary) {
      await page.keyboard.press("Enter");
      if (!(await page.evaluate(() => document.activeElement.parentElement.open))) closed.push(stop.name);
    }
  }
  return { stops, closed, ...(await page.evaluate(focusable)) };
}

async function examine(started, scheme, size) {
  const context = await started.newContext({
    colorScheme: scheme,
    viewport: SIZES[size],
  });
  await context.addInitScript(prepare);
  const page = await context.newPage();
  const messages = [];
  const requests = [];
  page.on("console", (message) => messages.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => messages.push(String(error)));
  page.on("request", (request) => requests.push(request.url()));
  const response = await page.goto(address, { waitUntil: "load" });
  await page.screenshot({ path: `${screenshots}-${scheme}-${size}.png`, fullPage: true });
  if (size === "desk") await page.screenshot({ path: `${screenshots}-${scheme}-top.png`, clip: TOP, fullPage: true });
  const measured = await page.evaluate(measure);
  // axe does not see the content of closed details, so it runs again after the keyboard has opened them.
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
  const bytes = (await response.body()).length;
  await context.close();
  const barriers = [...new Set([...before, ...after])];
  const overflow = Math.max(measured.overflow, opened);
  return { scheme, size, bytes, ...measured, overflow, barriers, messages, requests, ...keyboard };
}

async function main() {
  const found = browser();
  if (!found) throw new Error("no browser: run tools/setup");
  const started = await chromium.launch(found);
  const views = [];
  for (const scheme of SCHEMES) for (const size of Object.keys(SIZES)) views.push(await examine(started, scheme, size));
  await started.close();
  console.log(JSON.stringify(views));
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
