#!/usr/bin/env node
// From source. What is installed starts in main-built.ts.
import { main } from "./command.ts";

await main();
