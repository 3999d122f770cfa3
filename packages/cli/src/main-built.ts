#!/usr/bin/env node
// What dist/main.cjs is: CommonJS, since Node's loader of ECMAScript modules alone would cost every start 3.5 ms.
import { join } from "node:path";
import { loadCached } from "./code-cache.ts";

const word = process.argv[2] ?? "";
const { main } = loadCached(
  join(import.meta.dirname, "command.cjs"),
  /^[a-z]+$/.test(word) ? word : "flags",
) as typeof import("./command.ts");
void main();
