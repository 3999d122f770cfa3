import type { HealthCheck, RestartPolicy, StartupCheck } from "@ramekin/core";

/** What the container's supervisor does of its own accord. */
export interface SupervisionOptions {
  /** Absent: `no`. Refused with `autoRemove`. */
  readonly restartPolicy?: RestartPolicy;
  readonly health?: HealthOptions;
  /** Seconds that each run may take; then it is killed, with exit code 255. */
  readonly timeLimit?: number;
  /** It is killed when the process that started it has ended, however that ends. With `autoRemove` nothing is left of it then. */
  readonly dieWithParent?: boolean;
}

/** Absent fields come from the image's HEALTHCHECK, then from Docker's defaults: 30 s, 30 s, 3 retries, no start period, 5 s in it. */
export interface HealthOptions extends Partial<Omit<HealthCheck, "args" | "startup">> {
  /** As in an image: `["CMD", …]`, `["CMD-SHELL", command]`, or `["NONE"]` for no check at all. */
  readonly test?: readonly [kind: "CMD" | "CMD-SHELL" | "NONE", ...words: string[]];
  /** Only beside a check, the image's or one of its own. Absent: 30 s, 30 s, no end of retries, one success. */
  readonly startup?: StartupOptions;
}

export interface StartupOptions extends Partial<Omit<StartupCheck, "args">> {
  readonly test: readonly [kind: "CMD" | "CMD-SHELL", ...words: string[]];
}
