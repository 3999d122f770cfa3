#!/usr/bin/env node
import { enableCompileCache } from "node:module";

// first: whatever is loaded from here on is compiled once per version, not once per start
enableCompileCache();

const { main } = await import("./command.ts");
await main();
