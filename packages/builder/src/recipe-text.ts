import { RamekinError } from "@ramekin/core";
import type { RecipeBase, RecipeHealthcheck, RecipeMount } from "./recipe.ts";

export interface TransferText {
  readonly keyword: "COPY" | "ADD";
  readonly sources: readonly string[];
  readonly destination: string;
}

/** A value of a Dockerfile, in which only variables mean more than they say. */
export function valueText(text: string): string {
  if (/[\r\n]/.test(text)) throw wrong(text, "a line break");
  if (text === "" || text.trim() !== text) return `"${escaped(text)}"`;
  return escaped(text);
}

/** `\$` is a dollar sign already. */
const escaped = (text: string) => text.replace(/\\(?!\$)|["']/g, "\\$&");

/** In words where that is possible, else as a JSON list. */
export function words(all: readonly string[]): string {
  for (const word of all) if (/[\r\n]/.test(word)) throw wrong(word, "a line break");
  const texts = all.map(escaped);
  const plain = texts.every((text) => /^[^\s[\]"'\\#<-][^\s"'\\<]*$/.test(text));
  return plain ? texts.join(" ") : JSON.stringify(texts);
}

/** `NAME="value"`. Within double quotes an apostrophe is one. */
export function pairsText(pairs: Readonly<Record<string, string>>): string {
  const all = Object.entries(pairs);
  if (all.length === 0) throw new RamekinError("INVALID_ARGUMENT", "there is nothing to set");
  return all.map(([name, value]) => `${nameText(name)}="${inQuotes(value)}"`).join(" ");
}

function nameText(name: string): string {
  if (/^[^\s="'$\\]+$/.test(name)) return name;
  if (name === "" || /[\r\n=]/.test(name)) throw wrong(name, "a line break or =");
  return `"${inQuotes(name)}"`;
}

function inQuotes(value: string): string {
  if (/[\r\n]/.test(value)) throw wrong(value, "a line break");
  return value.replace(/\\(?!\$)|"/g, "\\$&");
}

/** Several lines, or what a Dockerfile would take for something else, as a heredoc. */
export function runText(command: string | readonly string[], flags: readonly string[], keyword = "RUN"): string {
  const beginning = [keyword, ...flags].join(" ");
  if (typeof command !== "string") return `${beginning} ${JSON.stringify(command)}`;
  if (!/[\r\n]|<<|\\$|^\s*(?:$|--|\[)/.test(command)) return `${beginning} ${command.trim()}`;
  if (keyword !== "RUN") throw wrong(command, `several lines, or a beginning that ${keyword} reads otherwise`);
  return `${beginning} ${heredoc(command, "")}`;
}

export function copyText({ keyword, sources, destination }: TransferText, flags: readonly string[]): string {
  if (sources.length === 0) throw new RamekinError("INVALID_ARGUMENT", `${keyword} needs something to copy`);
  return [keyword, ...flags, words([...sources, destination])].join(" ");
}

export function writeText(path: string, text: string, flags: readonly string[]): string {
  const destination = words([path]);
  // A heredoc stands among words, never in a list.
  if (destination.startsWith("[")) throw wrong(path, "blanks, quotes or backslashes");
  return ["COPY", ...flags, heredoc(text, ` ${destination}`, true)].join(" ");
}

/** With an end that no line of the text is. */
function heredoc(text: string, rest: string, quoted = false): string {
  const lines = text.replace(/\n$/, "").split("\n");
  let end = "EOF";
  for (let number = 1; lines.includes(end); number++) end = `EOF${number}`;
  return `<<${quoted ? `"${end}"` : end}${rest}\n${text === "" ? "" : `${lines.join("\n")}\n`}${end}`;
}

export function mountText(mount: RecipeMount, nameOf: (base: RecipeBase) => string): string {
  const { type, ...options } = mount;
  const fields = Object.entries(options).flatMap(([name, value]) => {
    if (value === undefined) return [];
    if (name === "from") return [`from=${nameOf(value as RecipeBase)}`];
    if (name === "mode") return [`mode=0${(value as number).toString(8)}`];
    if (name === "writable") return value ? ["rw"] : [];
    if (name === "readOnly") return value ? ["ro"] : [];
    return [`${name}=${value}`];
  });
  const text = [`type=${type}`, ...fields].join(",");
  const odd = Object.values(options).find((value) => typeof value === "string" && /[\s,"'\\]/.test(value));
  if (odd !== undefined) throw wrong(String(odd), "a blank, comma, quote or backslash");
  return `--mount=${text}`;
}

export function healthText(check: RecipeHealthcheck | "none"): string {
  if (check === "none") return "HEALTHCHECK NONE";
  const { command, interval, timeout, startPeriod, startInterval, retries } = check;
  const flags = { interval, timeout, "start-period": startPeriod, "start-interval": startInterval, retries };
  const texts = Object.entries(flags).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}=${value}`]));
  return ["HEALTHCHECK", ...texts, runText(command, [], "CMD")].join(" ");
}

const wrong = (text: string, what: string) => new RamekinError("INVALID_ARGUMENT", `${JSON.stringify(text)} cannot have ${what}`);
