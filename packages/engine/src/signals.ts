import { constants } from "node:os";
import { RamekinError, type Signal } from "@ramekin/core";

/** glibc keeps 32 and 33 for itself, so these are what programs call SIGRTMIN and SIGRTMAX. */
const realTime = { first: 34, last: 64 } as const;

/** As people and images write it: `SIGTERM`, `term`, `15`, `RTMIN+3`. */
export function parseSignal(text: string): Signal {
  const upper = text.trim().toUpperCase();
  if (/^[0-9]+$/.test(upper)) return byNumber(Number(upper), text);
  const name = upper.startsWith("SIG") ? upper : `SIG${upper}`;
  const counted = /^SIGRT(MIN\+|MAX-)([0-9]{1,2})$/.exec(name);
  if (counted) {
    const number = counted[1] === "MIN+" ? realTime.first + Number(counted[2]) : realTime.last - Number(counted[2]);
    if (number >= realTime.first && number <= realTime.last) return name as Signal;
  } else if (name === "SIGRTMIN" || name === "SIGRTMAX" || Object.hasOwn(constants.signals, name)) {
    return aliases[name] ?? (name as Signal);
  }
  throw unknown(text);
}

/** As the kernel counts it. */
export function signalNumber(signal: Signal): number {
  const counted = /^SIGRT(MIN|MAX)(?:[+-]([0-9]+))?$/.exec(signal);
  if (counted) return counted[1] === "MIN" ? realTime.first + Number(counted[2] ?? 0) : realTime.last - Number(counted[2] ?? 0);
  return constants.signals[signal as keyof typeof constants.signals];
}

/** Two names of one number: we keep to one. */
const aliases: Readonly<Record<string, Signal>> = { SIGIOT: "SIGABRT", SIGPOLL: "SIGIO" };

function byNumber(number: number, text: string): Signal {
  if (number === realTime.last) return "SIGRTMAX";
  if (number >= realTime.first && number < realTime.last)
    return number === realTime.first ? "SIGRTMIN" : `SIGRTMIN+${number - realTime.first}`;
  const name = Object.entries(constants.signals).find(([known, value]) => value === number && !(known in aliases))?.[0];
  if (name === undefined) throw unknown(text);
  return name as Signal;
}

const unknown = (text: string) =>
  new RamekinError("INVALID_ARGUMENT", `unknown signal ${JSON.stringify(text)}`, {
    hint: "a name such as SIGTERM or a number from 1 to 64",
  });
