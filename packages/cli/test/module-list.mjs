// Preloaded into a child process: on exit it prints, as one line of JSON on stderr, the URL of every module that was loaded.

import { writeSync } from "node:fs";
import { registerHooks } from "node:module";

const urls = [];
registerHooks({
  load(url, context, next) {
    urls.push(url);
    return next(url, context);
  },
});
process.on("exit", () => writeSync(2, `\nmodules: ${JSON.stringify(urls)}\n`));
