// One JSON object a line in, one out: {"text": "A=1\n"} → {"dotenv": {"A": "1"}, "builtin": {"A": "1"}}.
const { parse } = require("dotenv");
const { parseEnv } = require("node:util"); // since Node 20.12

require("node:readline")
  .createInterface({ input: process.stdin })
  .on("line", (line) => {
    const { text } = JSON.parse(line);
    const values = { dotenv: parse(text), builtin: parseEnv ? parseEnv(text) : null };
    process.stdout.write(JSON.stringify(values) + "\n");
  });
