import { appendEvent } from "../src/store/journal.ts";

// Run by events.test.ts, several at once: DIRECTORY WHO HOW_MANY.
const [directory = "", who = "", count = "0"] = process.argv.slice(2);
for (let number = 0; number < Number(count); number++) {
  appendEvent(directory, { type: "container", action: "top", id: who, attributes: { number: String(number), padding: "x".repeat(200) } });
}
