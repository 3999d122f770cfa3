import { serveStorage } from "@ramekin/conformance";
import { overlayStorage } from "../src/index.ts";

const [root = ""] = process.argv.slice(2);
serveStorage(overlayStorage(root));
