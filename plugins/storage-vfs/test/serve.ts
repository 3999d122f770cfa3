import { serveStorage } from "@ramekin/conformance";
import { vfsStorage } from "../src/index.ts";

const [root = ""] = process.argv.slice(2);
serveStorage(vfsStorage(root));
