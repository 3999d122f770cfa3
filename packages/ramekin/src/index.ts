export * from "@ramekin/engine";
export { createRamekin, type RamekinOptions } from "./ramekin.ts";
