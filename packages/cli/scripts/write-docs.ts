// Writes docs/commands from the declarations.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { commandPages } from "../src/help/page.ts";

const folder = join(import.meta.dirname, "..", "..", "..", "docs", "commands");
const pages = await commandPages();
mkdirSync(folder, { recursive: true });
for (const name of readdirSync(folder)) if (!pages.has(name)) rmSync(join(folder, name));
for (const [name, text] of pages) writeFileSync(join(folder, name), text);
console.log(`docs/commands: ${pages.size} pages`);
