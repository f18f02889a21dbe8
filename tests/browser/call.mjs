// node call.mjs MODULE: reads a JSON list of [function, argument, ...], and prints the results. The first argument of a method,
// such as Vocabulary.nearest, is for the constructor.
import { text } from "node:stream/consumers";

const module = await import(process.argv[2]);
const calls = JSON.parse(await text(process.stdin));
const results = calls.map(([name, ...values]) => {
  const [owner, method] = name.split(".");
  const result = method
    ? new module[owner](values[0])[method](...values.slice(1))
    : module[owner](...values);
  // A pattern cannot be printed. Its matches in the last argument can.
  return (result instanceof RegExp ? values.at(-1).match(result) : result) ?? null;
});
process.stdout.write(JSON.stringify(results));
