import { constants } from "node:os";
import type { Signal } from "@ramekin/core";
import { RamekinError } from "@ramekin/core";

/** `TERM`, `SIGTERM`, `term`, `15`, `RTMIN+3`. */
export function parseSignal(text: string): Signal {
  if (/^\d+$/.test(text)) {
    const number = Number(text);
    const name = Object.entries(constants.signals).find(([, value]) => value === number)?.[0];
    if (name !== undefined) return name as Signal;
    // 34 is the first that the C library leaves to programs
    if (number >= 34 && number <= 64) return number === 34 ? "SIGRTMIN" : `SIGRTMIN+${number - 34}`;
  } else {
    const name = `SIG${text.toUpperCase().replace(/^SIG/, "")}`;
    if (name in constants.signals || /^SIGRTMIN(\+([1-9]|[12]\d|30))?$/.test(name) || /^SIGRTMAX(-([1-9]|[12]\d|30))?$/.test(name))
      return name as Signal;
  }
  throw new RamekinError("INVALID_ARGUMENT", `no such signal: ${text}`, { hint: "a name such as TERM, or a number" });
}
