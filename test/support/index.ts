export { type CommandOptions, command, missing, type Result, type Running, start, succeed } from "./command.ts";
export * from "./images.ts";
export { type Inspected, type Kitchen, type KitchenOptions, kitchen, mountsBelow, noKitchen, processesOf } from "./kitchen.ts";
export { image, type Layout, layout, named, readImage, sha256, types } from "./layout.ts";
export { noPty, pty, type Step } from "./pty.ts";
export { seeded } from "./random.ts";
export * from "./registry.ts";
export { type Entry, tar } from "./tar.ts";
export { eventually, needs, useKitchen } from "./test.ts";
