export type * from "./api.ts";
export { type CreateEngineOptions, createEngine } from "./engine.ts";
export { createKernel, type Kernel, type KernelOptions } from "./kernel/kernel.ts";
export { hostPlatform } from "./platform.ts";
export { parseSignal } from "./signals.ts";
