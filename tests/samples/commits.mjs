// What commitlint and semantic-release say of messages: {messages, analyzer} on stdin, a list of {errors, release} on stdout.
// `analyzer` is what .releaserc.yaml gives to @semantic-release/commit-analyzer.
import { readFileSync } from "node:fs";
import lint from "@commitlint/lint";
import load from "@commitlint/load";
import { analyzeCommits } from "@semantic-release/commit-analyzer";

const { messages, analyzer } = JSON.parse(readFileSync(0, "utf8"));
const { rules, parserPreset } = await load();
const logger = { log() {} };
const answers = [];
for (const message of messages) {
  const report = await lint(message, rules, { parserOpts: parserPreset?.parserOpts });
  const release = await analyzeCommits(analyzer, { cwd: process.cwd(), logger, commits: [{ hash: "0", message }] });
  answers.push({ errors: report.errors.map((error) => error.name), release: release ?? "none" });
}
console.log(JSON.stringify(answers));
