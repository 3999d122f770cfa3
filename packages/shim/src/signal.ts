import { constants } from "node:os";
import { RamekinError, type Signal } from "@ramekin/core";

/** As a C library numbers them: the first two of the kernel's are its own. */
const realTime = { min: 34, max: 64 };

/** INVALID_ARGUMENT for one that is not there. */
export function signalNumber(signal: Signal): number {
  const known = (constants.signals as Readonly<Record<string, number>>)[signal];
  if (known !== undefined) return known;
  const [, base, offset = "0"] = /^(SIGRTMIN|SIGRTMAX)(?:[+-](\d+))?$/.exec(signal) ?? [];
  const number = base === "SIGRTMIN" ? realTime.min + Number(offset) : base === "SIGRTMAX" ? realTime.max - Number(offset) : Number.NaN;
  if (number >= realTime.min && number <= realTime.max) return number;
  throw new RamekinError("INVALID_ARGUMENT", `unknown signal ${signal}`);
}
