// node lighthouse.mjs CHROMIUM URL CATEGORY...: measures the page two or three times in one Chromium, and prints a JSON list with
// the scores of each run in percent. Only the first run also measures the performance.
import { once } from "node:events";
import { launch } from "chrome-launcher";
import lighthouse from "lighthouse";

const [chromePath, url, ...categories] = process.argv.slice(2);
const chromeFlags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"];
const chromium = await launch({ chromePath, chromeFlags });
const isClosed = once(chromium.process, "close");

async function measure(onlyCategories) {
  const flags = { port: chromium.port, onlyCategories, disableFullPageScreenshot: true };
  const { lhr } = await lighthouse(url, flags);
  if (lhr.runtimeError) throw new Error(lhr.runtimeError.message);
  const scores = Object.entries(lhr.categories);
  return Object.fromEntries(scores.map(([name, { score }]) => [name, 100 * score]));
}

const runs = [];
try {
  runs.push(await measure(["performance", ...categories]), await measure(categories));
  // Two equal runs are the median, so that a third run is only needed after different ones.
  const isEqual = categories.every((name) => runs[0][name] === runs[1][name]);
  if (!isEqual) runs.push(await measure(categories));
} finally {
  chromium.kill();
  await isClosed;
}
// Lighthouse leaves a timer that would keep the process for up to five seconds.
process.stdout.write(JSON.stringify(runs), () => process.exit());
