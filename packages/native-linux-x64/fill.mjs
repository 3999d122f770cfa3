// Before it is packed: the parts as scripts/build-native.mjs has left them. Nothing else reads this copy; a checkout uses the original.
import { cpSync, existsSync, rmSync } from "node:fs";
import { join } from "node:path";

const built = join(import.meta.dirname, "..", "..", ".cache", "native");
const parts = join(import.meta.dirname, "parts");
const names = ["build.json", "ramekin.node", "ramekin-init", "ramekin-launcher", "ramekin-rootfs", "ramekin-shim"];

const absent = names.filter((name) => !existsSync(join(built, name)));
if (absent.length > 0) throw new Error(`${built} lacks ${absent.join(", ")}: run node scripts/build-native.mjs first`);
if (`${process.platform}-${process.arch}` !== "linux-x64") throw new Error("these parts are of another platform: pack on Linux, x86-64");

rmSync(parts, { recursive: true, force: true });
for (const name of names) cpSync(join(built, name), join(parts, name));
