#!/usr/bin/env node
// What dist/main.cjs is: CommonJS, since Node's loader of ECMAScript modules alone would cost every start 3.5 ms.
import { join } from "node:path";
import { loadCached } from "./code-cache.ts";
import { topics } from "./topics.ts";

const plain = (word = "") => (/^[a-z]+(?:-[a-z]+)*$/.test(word) ? word : "flags");
const [word = "", next] = process.argv.slice(2);
// What is compiled differs from verb to verb: `system df` and `system fsck` have little in common.
const use = Object.hasOwn(topics, word) ? `${word}-${plain(next)}` : plain(word);
const { main } = loadCached(join(import.meta.dirname, "command.cjs"), use) as typeof import("./command.ts");
void main();
