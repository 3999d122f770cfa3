import { RamekinError } from "@ramekin/core";
import type { Healthcheck, ImageRunConfig } from "./image-config.ts";

/**
 * A Dockerfile instruction that changes a configuration and nothing else, as `import` and `commit` take them (Docker's `--change`):
 * CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME, WORKDIR. Later ones win.
 */
export function applyChange(config: ImageRunConfig, text: string): ImageRunConfig {
  const [, word = "", rest = ""] = /^\s*(\S+)\s*([\s\S]*?)\s*$/.exec(text) ?? [];
  const instruction = word.toUpperCase();
  const change = Object.hasOwn(changes, instruction) ? changes[instruction] : undefined;
  if (!change)
    throw invalid(text, `${instruction || "nothing"} is not a valid change command`, `valid are ${Object.keys(changes).join(", ")}`);
  if (rest === "") throw invalid(text, `${instruction} requires at least one argument`);
  return change(config, rest, text);
}

type Change = (config: ImageRunConfig, rest: string, text: string) => ImageRunConfig;

const changes: Readonly<Record<string, Change>> = {
  CMD: (config, rest) => ({ ...config, Cmd: command(rest) }),
  ENTRYPOINT: (config, rest) => ({ ...config, Entrypoint: command(rest) }),
  ENV: (config, rest, text) => ({ ...config, Env: withVariables(config.Env ?? [], pairs(rest, text)) }),
  EXPOSE: (config, rest, text) => ({
    ...config,
    ExposedPorts: { ...config.ExposedPorts, ...setOf(words(rest, text).flatMap((port) => ports(port, text))) },
  }),
  HEALTHCHECK: (config, rest, text) => ({ ...config, Healthcheck: healthcheck(rest, text) }),
  LABEL: (config, rest, text) => ({ ...config, Labels: { ...config.Labels, ...Object.fromEntries(pairs(rest, text)) } }),
  ONBUILD: (config, rest, text) => ({ ...config, OnBuild: [...(config.OnBuild ?? []), trigger(rest, text)] }),
  STOPSIGNAL: (config, rest, text) => ({ ...config, StopSignal: single(rest, text) }),
  USER: (config, rest, text) => ({ ...config, User: single(rest, text) }),
  VOLUME: (config, rest, text) => ({ ...config, Volumes: { ...config.Volumes, ...setOf(jsonList(rest) ?? words(rest, text)) } }),
  WORKDIR: (config, rest, text) => ({ ...config, WorkingDir: resolveDirectory(config.WorkingDir ?? "/", unquoted(rest, text)) }),
};

/** A JSON list of strings is the command itself; anything else goes through a shell. */
function command(rest: string): readonly string[] {
  return jsonList(rest) ?? ["/bin/sh", "-c", rest];
}

function jsonList(text: string): readonly string[] | undefined {
  if (!text.startsWith("[")) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((item) => typeof item === "string") ? value : undefined;
  } catch {
    return undefined; // a shell command may begin with a bracket
  }
}

/** `A=1 B="two words"`, or the old form `A the rest of the line`. */
function pairs(rest: string, text: string): readonly (readonly [string, string])[] {
  const all = words(rest, text, false);
  if (!(all[0] as string).includes("=")) {
    const [, name = "", value] = /^(\S+)\s+([\s\S]+)$/.exec(rest) ?? [];
    if (value === undefined) throw invalid(text, "a name and a value are needed", "NAME=value");
    return [[name, value]];
  }
  return all.map((word) => {
    const at = word.indexOf("=");
    if (at < 1) throw invalid(text, `${word} is no NAME=value`);
    return [unquoted(word.slice(0, at), text), unquoted(word.slice(at + 1), text)] as const;
  });
}

const quoted = String.raw`\\[\s\S]|"(?:[^"\\]|\\[\s\S])*"|'[^']*'`;
const wellQuoted = new RegExp(`^(?:[^"'\\\\]|${quoted})*$`);
const wordPattern = new RegExp(`(?:[^\\s"'\\\\]|${quoted})+`, "g");

/** Words by a shell's rules for quotes and backslashes; quotes stay unless asked away. */
function words(rest: string, text: string, unquote = true): readonly string[] {
  if (!wellQuoted.test(rest)) throw invalid(text, "a quote is not closed");
  const found = rest.match(wordPattern) ?? [];
  return unquote ? found.map((word) => unquoted(word, text)) : found;
}

function unquoted(word: string, text: string): string {
  if (!wellQuoted.test(word)) throw invalid(text, "a quote is not closed");
  return word.replace(/"((?:[^"\\]|\\[\s\S])*)"|'([^']*)'|\\([\s\S])/g, (_, double?: string, alone?: string, escaped?: string) => {
    if (double !== undefined) return double.replace(/\\(["\\$])/g, "$1");
    return alone ?? escaped ?? "";
  });
}

function single(rest: string, text: string): string {
  const all = words(rest, text);
  if (all.length !== 1) throw invalid(text, "requires exactly one argument");
  return all[0] as string;
}

/** `80`, `80/udp`, `8000-8002/tcp`. */
function ports(port: string, text: string): readonly string[] {
  const [, first, last, protocol = "tcp"] = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(port) ?? [];
  const [from, to] = [Number(first), Number(last ?? first)];
  if (first === undefined || from < 1 || to > 65535 || to < from) throw invalid(text, `${port} is no port`, "80, 80/udp or 8000-8002/tcp");
  return Array.from({ length: to - from + 1 }, (_, index) => `${from + index}/${protocol.toLowerCase()}`);
}

const flagNames: Readonly<Record<string, keyof Healthcheck>> = {
  interval: "Interval",
  timeout: "Timeout",
  "start-period": "StartPeriod",
  "start-interval": "StartInterval",
  retries: "Retries",
};

/** `NONE`, or flags and `CMD` with a command in either form. */
function healthcheck(rest: string, text: string): Healthcheck {
  const flags: Record<string, number> = {};
  let left = rest;
  for (let flag = nextFlag(left); flag; flag = nextFlag(left)) {
    const [whole = "", name = "", value = ""] = flag;
    const field = Object.hasOwn(flagNames, name) ? flagNames[name] : undefined;
    if (!field) throw invalid(text, `unknown flag --${name}`);
    flags[field] = name === "retries" ? Number(value) : nanoseconds(value);
    if (!Number.isSafeInteger(flags[field]) || (flags[field] as number) < 0) throw invalid(text, `--${name}=${value} cannot be read`);
    left = left.slice(whole.length);
  }
  const [, kind = "", argument = ""] = /^(\S+)\s*([\s\S]*)$/.exec(left) ?? [];
  if (kind.toUpperCase() === "NONE" && argument === "") return { Test: ["NONE"] };
  if (kind.toUpperCase() !== "CMD" || argument === "") throw invalid(text, "HEALTHCHECK needs NONE, or CMD with a command");
  const list = jsonList(argument);
  return { Test: list ? ["CMD", ...list] : ["CMD-SHELL", argument], ...flags };
}

const nextFlag = (text: string) => /^--([a-z-]+)=(\S+)\s*/.exec(text);

/** Go's notation for durations. */
function nanoseconds(text: string): number {
  const units: Readonly<Record<string, number>> = { ns: 1, us: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };
  if (!/^(?:\d+(?:\.\d+)?(?:ns|us|ms|s|m|h))+$/.test(text)) return Number.NaN;
  let total = 0;
  for (const [, amount, unit = ""] of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|ms|s|m|h)/g)) total += Number(amount) * (units[unit] ?? 0);
  return Math.round(total);
}

function trigger(rest: string, text: string): string {
  const word = (/^\S+/.exec(rest)?.[0] ?? "").toUpperCase();
  if (["ONBUILD", "FROM", "MAINTAINER"].includes(word)) throw invalid(text, `${word} isn't allowed as an ONBUILD trigger`);
  return rest;
}

function withVariables(env: readonly string[], added: readonly (readonly [string, string])[]): readonly string[] {
  const nameOf = (variable: string) => variable.slice(0, variable.indexOf("="));
  const all = [...env];
  for (const [name, value] of added) {
    const at = all.findIndex((variable) => nameOf(variable) === name);
    if (at < 0) all.push(`${name}=${value}`);
    else all[at] = `${name}=${value}`;
  }
  return all;
}

/** Relative to what it was, without `.` and `..`. */
function resolveDirectory(from: string, to: string): string {
  const parts: string[] = [];
  for (const part of `${to.startsWith("/") ? "" : from}/${to}`.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

const setOf = (names: readonly string[]): Readonly<Record<string, object>> => Object.fromEntries(names.map((name) => [name, {}]));

function invalid(text: string, why: string, hint?: string): RamekinError {
  return new RamekinError("INVALID_ARGUMENT", `invalid change ${JSON.stringify(text)}: ${why}`, hint === undefined ? {} : { hint });
}
