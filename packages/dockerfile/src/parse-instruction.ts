import type { Healthcheck } from "@ramekin/oci";
import { parseDuration } from "./duration.ts";
import type { Escape } from "./expand.ts";
import { type FlagKinds, Flags } from "./flag.ts";
import { chomped, parseHeredoc } from "./heredoc.ts";
import type {
  Arg,
  CommandLine,
  Env,
  From,
  InlineFile,
  Instruction,
  InstructionBase,
  InstructionName,
  Pair,
  Transfer,
} from "./instruction.ts";
import { instructionNames } from "./instruction.ts";
import { jsonForm } from "./json-form.ts";
import { firstWord, type LogicalLine, splitBlanks, splitFlags, splitQuoted, type Word } from "./line.ts";
import { mountSource, parseDevice } from "./mount.ts";
import { Complaint } from "./problem.ts";
import { isSpace, type Piece, trim, trimEnd } from "./source.ts";
import { didYouMean } from "./suggest.ts";

/** A line taken apart as far as all instructions are alike: keyword, flags, the rest from `start` to `end`. */
interface Statement {
  readonly line: LogicalLine;
  readonly escapeToken: Escape;
  readonly keyword: Piece;
  readonly name: string;
  readonly flags: readonly Word[];
  readonly start: number;
  readonly end: number;
}

export function parseInstruction(line: LogicalLine, escapeToken: Escape): Instruction {
  const statement = takeApart(line, escapeToken, 0);
  if (!isInstruction(statement.name)) {
    const { text, range } = statement.keyword;
    throw new Complaint(`unknown instruction: ${text}`, { range, hint: didYouMean(text, instructionNames, { caseSensitive: false }) });
  }
  return parsers[statement.name](statement);
}

/** RUN, COPY and ADD may have heredocs, alone or after ONBUILD, but not in the exec form. */
export function takesHeredocs(line: LogicalLine, escapeToken: Escape): boolean {
  if (!line.text.includes("<<")) return false;
  let statement = takeApart(line, escapeToken, 0);
  if (statement.name === "ONBUILD" && statement.start < statement.end) statement = takeApart(line, escapeToken, statement.start);
  const { name, start, end } = statement;
  return ["RUN", "COPY", "ADD"].includes(name) && !jsonForm(line, start, end);
}

function takeApart(line: LogicalLine, escapeToken: Escape, from: number): Statement {
  const word = firstWord(line.text, from);
  const { flags, rest } = splitFlags(line.text, word.end, escapeToken);
  const end = Math.max(rest, trimEnd(line.text).length);
  let start = rest;
  while (start < end && isSpace(line.text[start] as string)) start += 1;
  const keyword = line.piece(word.start, word.end);
  return { line, escapeToken, keyword, name: keyword.text.toUpperCase(), flags, start, end };
}

const isInstruction = (name: string): name is InstructionName => (instructionNames as readonly string[]).includes(name);

const parsers: { readonly [Name in InstructionName]: (statement: Statement) => Instruction } = {
  FROM: parseFrom,
  RUN: (statement) => {
    const flags = flagsOf(statement, { mount: "values", device: "values", network: "value", security: "value" });
    for (const mount of flags.values("mount")) about(mount, () => mountSource(mount.text));
    const network = choice(flags.value("network"), ["default", "none", "host"], (mode) => `invalid network mode ${mode}`);
    const security = choice(flags.value("security"), ["sandbox", "insecure"], (mode) => `security ${mode} is not valid`);
    const devices = flags.values("device").map((device) => about(device, () => parseDevice(device.text)));
    const command = commandLine(statement);
    return { name: "RUN", ...base(statement, flags), command, mounts: flags.values("mount"), network, security, devices };
  },
  COPY: (statement) => {
    const flags = flagsOf(statement, { ...transferFlags, from: "value", parents: "boolean" });
    const from = flags.value("from");
    const parents = flags.boolean("parents") ?? false;
    // An empty --from is none, as in Docker.
    return { name: "COPY", ...transfer(statement, "COPY", flags), ...(from && from.text !== "" && { from }), parents };
  },
  ADD: (statement) => {
    const flags = flagsOf(statement, { ...transferFlags, "keep-git-dir": "boolean", checksum: "value", unpack: "boolean" });
    const [keepGitDir, checksum, unpack] = [flags.boolean("keep-git-dir"), flags.value("checksum"), flags.boolean("unpack")];
    return {
      name: "ADD",
      ...transfer(statement, "ADD", flags),
      ...(keepGitDir !== undefined && { keepGitDir }),
      ...(checksum && { checksum }),
      ...(unpack !== undefined && { unpack }),
    };
  },
  ENV: (statement) => parsePairs(statement, "ENV"),
  LABEL: (statement) => parsePairs(statement, "LABEL"),
  ARG: parseArg,
  CMD: (statement) => ({ name: "CMD", ...base(statement, flagsOf(statement)), command: commandLine(statement) }),
  ENTRYPOINT: (statement) => ({ name: "ENTRYPOINT", ...base(statement, flagsOf(statement)), command: commandLine(statement) }),
  USER: (statement) => ({ name: "USER", ...base(statement, flagsOf(statement)), value: single(statement) }),
  WORKDIR: (statement) => ({ name: "WORKDIR", ...base(statement, flagsOf(statement)), value: single(statement) }),
  STOPSIGNAL: (statement) => ({ name: "STOPSIGNAL", ...base(statement), value: single(statement) }),
  MAINTAINER: (statement) => ({ name: "MAINTAINER", ...base(statement, flagsOf(statement)), value: single(statement) }),
  EXPOSE: (statement) => {
    const { line, start, end } = statement;
    const flags = flagsOf(statement);
    const values = atLeastOne(statement, splitBlanks(line.text, start, end)).map((word) => line.piece(word.start, word.end));
    return { name: "EXPOSE", ...base(statement, flags), values };
  },
  VOLUME: (statement) => {
    const flags = flagsOf(statement);
    const values = atLeastOne(statement, list(statement)).map((piece) => ({ ...piece, text: trim(piece.text) }));
    const empty = values.find(({ text }) => text === "");
    if (empty) throw new Complaint("VOLUME specified can not be an empty string", { range: empty.range });
    return { name: "VOLUME", ...base(statement, flags), values };
  },
  SHELL: (statement) => {
    const flags = flagsOf(statement);
    const command = commandLine(statement);
    if (command.words.length === 0) throw new Complaint("SHELL requires at least one argument");
    if (command.form !== "exec")
      throw new Complaint("SHELL requires the arguments to be in JSON form", { hint: 'such as SHELL ["/bin/bash", "-c"]' });
    return { name: "SHELL", ...base(statement, flags), shell: command.words.map(({ text }) => text) };
  },
  HEALTHCHECK: parseHealthcheck,
  ONBUILD: parseOnbuild,
};

const transferFlags: FlagKinds = { chown: "value", chmod: "value", link: "boolean", exclude: "values" };

const flagsOf = ({ line, flags }: Statement, kinds: FlagKinds = {}) => new Flags(line, flags, kinds);

function base({ line, keyword }: Statement, flags?: Flags): InstructionBase {
  return { keyword, range: line.whole, text: trim(line.text), comments: line.comments, flags: flags?.names ?? [] };
}

/** A complaint of `read` is about this piece. */
function about<T>({ range }: Piece, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof Complaint ? new Complaint(error.message, { hint: error.hint, range: error.range ?? range }) : error;
  }
}

function choice<Value extends string>(
  piece: Piece | undefined,
  values: readonly [Value, ...Value[]],
  reason: (quoted: string) => string,
): Value {
  if (!piece) return values[0];
  const value = values.find((each) => each === piece.text);
  if (value !== undefined) return value;
  const hint = didYouMean(piece.text, values) ?? `one of ${values.join(", ")}`;
  throw new Complaint(reason(JSON.stringify(piece.text)), { range: piece.range, hint });
}

function atLeastOne<T>({ name }: Statement, values: readonly T[]): readonly T[] {
  if (values.length === 0) throw new Complaint(`${name} requires at least one argument`);
  return values;
}

function single({ line, name, start, end }: Statement): Piece {
  if (start >= end) throw new Complaint(`${name} requires exactly one argument`);
  return line.piece(start, end);
}

/** A JSON list, or words. */
function list({ line, start, end }: Statement): readonly Piece[] {
  return jsonForm(line, start, end) ?? splitBlanks(line.text, start, end).map((word) => line.piece(word.start, word.end));
}

function commandLine({ line, start, end }: Statement, from = start): CommandLine {
  const words = jsonForm(line, from, end);
  if (words) return { form: "exec", words, heredocs: line.heredocs };
  return { form: "shell", words: from < end ? [line.piece(from, end)] : [], heredocs: line.heredocs };
}

function parseFrom(statement: Statement): From {
  const { line, start, end } = statement;
  const words = splitBlanks(line.text, start, end).map((word) => line.piece(word.start, word.end));
  const [image, as, alias, more] = words;
  if (!image || (as && (!alias || more || as.text.toLowerCase() !== "as"))) {
    throw new Complaint("FROM requires either one or three arguments", { hint: "FROM image, or FROM image AS stage" });
  }
  const stage = alias?.text.toLowerCase();
  if (alias && !/^[a-z][a-z0-9-_.]*$/.test(stage ?? "")) {
    const reason = `invalid name for build stage: ${JSON.stringify(alias.text)}, name can't start with a number or contain symbols`;
    throw new Complaint(reason, { range: alias.range });
  }
  const flags = flagsOf(statement, { platform: "value" });
  const platform = flags.value("platform");
  return {
    name: "FROM",
    ...base(statement, flags),
    base: image,
    ...(platform && platform.text !== "" && { platform }),
    ...(as && { as }),
    ...(alias && stage !== undefined && { stage, alias }),
  };
}

function transfer(statement: Statement, name: "COPY" | "ADD", flags: Flags): Omit<Transfer, "name"> {
  const { line } = statement;
  const words = list(statement);
  const destination = words.at(-1);
  if (!destination || words.length < 2) {
    throw new Complaint(`${name} requires at least two arguments, but only one was provided. Destination could not be determined`, {
      hint: `${name} source… destination`,
    });
  }
  if (parseHeredoc(destination.text)) throw new Complaint(`${name} cannot accept a heredoc as a destination`, { range: destination.range });
  const sources: Piece[] = [];
  const files: InlineFile[] = [];
  for (const word of words.slice(0, -1)) {
    const mark = parseHeredoc(word.text);
    if (!mark) {
      sources.push(word);
      continue;
    }
    const found = line.heredocs.findLast((heredoc) => heredoc.name === mark.name);
    const content = found?.content ?? "";
    const range = found?.range ?? word.range;
    files.push({ name: mark.name, content: mark.chomp ? chomped(content) : content, expand: mark.expand, range });
  }
  const [chown, chmod] = [flags.value("chown"), flags.value("chmod")];
  const link = flags.boolean("link") ?? false;
  return {
    ...base(statement, flags),
    sources,
    files,
    destination,
    ...(chown && { chown }),
    ...(chmod && { chmod }),
    link,
    exclude: flags.values("exclude"),
  };
}

function parsePairs(statement: Statement, name: "ENV" | "LABEL"): Env {
  const { line, escapeToken, start, end } = statement;
  const words = splitQuoted(line.text, start, end, escapeToken);
  const [first] = words;
  const legacy = first !== undefined && !first.text.includes("=");
  const pairs = legacy ? [legacyPair(statement, name)] : words.map((word) => pair(line, word, name));
  const flags = flagsOf(statement);
  if (pairs.length === 0) throw new Complaint(`${name} requires at least one argument`);
  return { name, ...base(statement, flags), pairs, legacy };
}

function legacyPair({ line, start, end }: Statement, name: string): Pair {
  const [, word = "", blanks] = /^([^\t\v\f\r ]*)([\t\v\f\r ]+)/.exec(line.text.slice(start, end)) ?? [];
  if (blanks === undefined)
    throw new Complaint(`${name} must have two arguments`, { range: line.range(start, end), hint: `${name} name=value` });
  return { name: line.piece(start, start + word.length), value: line.piece(start + word.length + blanks.length, end) };
}

function pair(line: LogicalLine, word: Word, name: string): Pair {
  const equals = word.text.indexOf("=");
  const range = line.range(word.start, word.end);
  if (equals < 0) {
    const reason = `Syntax error - can't find = in ${JSON.stringify(word.text)}. Must be of the form: name=value`;
    throw new Complaint(reason, { range, hint: "a value with blanks needs quotes" });
  }
  if (equals === 0) throw new Complaint(`${name} names can not be blank`, { range });
  return {
    name: line.piece(word.start, word.start + equals),
    value: line.piece(word.start + equals + 1, word.end, word.text.slice(equals + 1)),
  };
}

function parseArg(statement: Statement): Arg {
  const { line, escapeToken, start, end } = statement;
  const words = atLeastOne(statement, splitQuoted(line.text, start, end, escapeToken));
  const definitions = words.map((word) => {
    const whole = line.piece(word.start, word.end, word.text);
    const { name, value } = word.text.includes("=") ? pair(line, word, "ARG") : { name: whole, value: undefined };
    const description = descriptionOf(line.comments, name.text);
    return { name, ...(value && { value }), ...(description !== undefined && { description }) };
  });
  return { name: "ARG", ...base(statement), definitions };
}

/** `# name what it is for`, in a comment above. */
export function descriptionOf(comments: readonly string[], name: string): string | undefined {
  const comment = name === "" ? undefined : comments.find((each) => each.startsWith(`${name} `));
  return comment?.slice(name.length + 1);
}

function parseHealthcheck(statement: Statement): Instruction {
  const { line, start, end } = statement;
  const [kind] = splitBlanks(line.text, start, end);
  if (!kind) throw new Complaint("HEALTHCHECK requires at least one argument");
  const range = line.range(kind.start, kind.end);
  const type = kind.text.toUpperCase();
  let from = kind.end;
  while (from < end && isSpace(line.text[from] as string)) from += 1;
  if (type === "NONE") {
    if (from < end) throw new Complaint("HEALTHCHECK NONE takes no arguments", { range: line.range(from, end) });
    return { name: "HEALTHCHECK", ...base(statement), healthcheck: { Test: ["NONE"] } };
  }
  const flags = flagsOf(statement, healthcheckFlags);
  if (type !== "CMD") throw new Complaint(`Unknown type ${JSON.stringify(type)} in HEALTHCHECK (try CMD)`, { range });
  const { form, words } = commandLine(statement, from);
  if (words.length === 0) throw new Complaint("Missing command after HEALTHCHECK CMD", { range });
  const healthcheck: { -readonly [Field in keyof Healthcheck]: Healthcheck[Field] } = {
    Test: [form === "exec" ? "CMD" : "CMD-SHELL", ...words.map(({ text }) => text)],
  };
  for (const [flag, field] of Object.entries(intervals)) {
    const value = interval(flag, flags.value(flag));
    if (value !== 0) healthcheck[field] = value;
  }
  const retries = retryCount(flags.value("retries"));
  if (retries !== 0) healthcheck.Retries = retries;
  return { name: "HEALTHCHECK", ...base(statement, flags), healthcheck };
}

const healthcheckFlags: FlagKinds = {
  interval: "value",
  timeout: "value",
  "start-period": "value",
  "start-interval": "value",
  retries: "value",
};
const intervals = { interval: "Interval", timeout: "Timeout", "start-period": "StartPeriod", "start-interval": "StartInterval" } as const;

function interval(flag: string, piece: Piece | undefined): number {
  if (!piece || piece.text === "") return 0;
  const { text, range } = piece;
  const value = parseDuration(text);
  if (value === undefined) throw new Complaint(`time: invalid duration ${JSON.stringify(text)}`, { range, hint: "such as 30s or 1m30s" });
  if (value !== 0 && value < 1e6) throw new Complaint(`Interval ${JSON.stringify(flag)} cannot be less than 1ms`, { range });
  return value;
}

function retryCount(piece: Piece | undefined): number {
  if (!piece || piece.text === "") return 0;
  const { text, range } = piece;
  const value = /^[-+]?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(value) || Math.abs(value) >= 2 ** 31) throw new Complaint(`--retries=${text} is no number`, { range });
  if (value < 0) throw new Complaint(`--retries cannot be negative (${value})`, { range });
  return value;
}

function parseOnbuild(statement: Statement): Instruction {
  const { line, escapeToken, start, end } = statement;
  if (start >= end) throw new Complaint("ONBUILD requires at least one argument");
  const inner = takeApart(line, escapeToken, start);
  // The parser of Docker reads the trigger now: a broken list of its exec form is an error here, an unknown instruction is not.
  if (["ADD", "CMD", "COPY", "ENTRYPOINT", "RUN", "SHELL", "VOLUME"].includes(inner.name)) jsonForm(line, inner.start, inner.end);
  const flags = flagsOf(statement);
  const { range } = inner.keyword;
  if (inner.name === "ONBUILD") throw new Complaint("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed", { range });
  if (inner.name === "MAINTAINER" || inner.name === "FROM")
    throw new Complaint(`${inner.name} isn't allowed as an ONBUILD trigger`, { range });
  const heredocs = line.heredocs.map(({ content, name }) => `\n${content}${name}`);
  const trigger = [line.text.replace(/^\s*ONBUILD\s*/i, ""), ...heredocs].join("");
  return { name: "ONBUILD", ...base(statement, flags), trigger };
}
