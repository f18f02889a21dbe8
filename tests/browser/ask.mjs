// node ask.mjs SCRIPTS SITE: reads a JSON list of queries, and prints the results of the site's search for each. SCRIPTS is a
// folder with the scripts of the search and of Pagefind, as modules.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";

const [scripts, site] = process.argv.slice(2).map((path) => resolve(path));
const server = createServer(async (request, response) => {
  const path = decodeURIComponent(new URL(request.url, "http://site").pathname);
  response.end(await readFile(join(site, path)));
});
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const base = `http://127.0.0.1:${server.address().port}/`;
const pagefind = await import(join(scripts, "pagefind.js"));
await pagefind.options({ basePath: `${base}pagefind/`, baseUrl: "/", excerptLength: 24 });
await pagefind.init();
const { Index } = await import(join(scripts, "search-index.js"));
const readKeys = async (name) => (await fetch(`${base}assets/keys/${name}.json`)).json();
const index = new Index(readKeys, async () => pagefind);
const answers = [];
for (const { query, path } of JSON.parse(await text(process.stdin))) {
  if (path) answers.push({ rows: await index.nearest(path) });
  else {
    const { rows, corrections, near, isBroken } = await index.find(query);
    if (isBroken) throw new Error(`The text search failed for: ${query}`);
    answers.push({ rows, near, corrections: Object.fromEntries(corrections) });
  }
}
process.stdout.write(JSON.stringify(answers), () => process.exit());
