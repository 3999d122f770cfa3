#!/usr/bin/env node
import { enableCompileCache } from "node:module";

// first: whatever is loaded from here on is compiled once per version, not once per start
enableCompileCache();

const { dispatch } = await import("./dispatch.ts");
const { finish } = await import("./finish.ts");
await finish(await dispatch(process.argv.slice(2)));
