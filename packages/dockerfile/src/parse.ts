import type { Directives } from "./directive.ts";
import type { Escape } from "./expand.ts";
import type { Arg, From, StageInstruction } from "./instruction.ts";
import { readLines } from "./line.ts";
import { parseInstruction, takesHeredocs } from "./parse-instruction.ts";
import { Problems } from "./problem.ts";
import { type Range, Source } from "./source.ts";

/**
 * A Dockerfile, parsed. This is a parser of our own: dockerfile-ast 0.7.1, tried for it, takes `3<<EOF` for no heredoc and its lines for
 * instructions, splits `${x:-"a b"}` at the blank, and knows neither expansion nor a reading of flags.
 */
export interface Dockerfile {
  readonly source: Source;
  readonly directives: Directives;
  readonly escapeToken: Escape;
  /** In front of the first FROM. */
  readonly globalArgs: readonly Arg[];
  readonly stages: readonly ParsedStage[];
  /** Empty lines inside continued instructions. */
  readonly emptyContinuations: readonly Range[];
}

export interface ParsedStage {
  readonly index: number;
  readonly from: From;
  readonly instructions: readonly StageInstruction[];
}

/** Everything that is wrong with the file is told at once, each with its place. */
export function parseDockerfile(text: string, file = "Dockerfile"): Dockerfile {
  const source = new Source(text, file);
  const problems = new Problems(source);
  const { directives, escapeToken, lines } = readLines(source, problems, takesHeredocs);
  const globalArgs: Arg[] = [];
  const stages: (ParsedStage & { readonly instructions: StageInstruction[] })[] = [];
  let broken = false;
  for (const line of lines) {
    const keywordAt = line.range(0, /^\S*/.exec(line.text)?.[0].length ?? 0);
    const instruction = problems.hear(keywordAt, () => parseInstruction(line, escapeToken));
    if (!instruction) {
      broken ||= /^FROM\s/i.test(line.text);
      continue;
    }
    if (instruction.name === "FROM") stages.push({ index: stages.length, from: instruction, instructions: [] });
    else if (stages.length > 0) stages.at(-1)?.instructions.push(instruction);
    else if (broken)
      continue; // of a stage whose FROM is wrong, which has been told
    else if (instruction.name === "ARG") globalArgs.push(instruction);
    else
      problems.add(instruction.keyword.range, "no build stage in current context", "FROM comes first; only ARG may stand in front of it");
  }
  if (lines.length === 0) problems.add(source.range(0, 0), text === "" ? "the Dockerfile cannot be empty" : "file with no instructions");
  else if (stages.length === 0 && problems.errors.length === 0)
    problems.add(source.range(0, 0), "dockerfile contains no stages to build", "it needs a FROM");
  problems.raise();
  return { source, directives, escapeToken, globalArgs, stages, emptyContinuations: lines.flatMap(({ emptyLines }) => emptyLines) };
}

/** An ONBUILD trigger of a base image: one instruction, which has no place in this file but that of its FROM. */
export function parseTrigger(trigger: string, from: From): StageInstruction {
  const source = new Source(trigger, "ONBUILD of the base image");
  const problems = new Problems(source);
  const { escapeToken, lines } = readLines(source, problems, takesHeredocs);
  const [line, more] = lines;
  const parsed = line && problems.hear(line.whole, () => parseInstruction(line, escapeToken));
  if (!line || more) problems.add(source.range(0, trigger.length), "onbuild trigger should be a single expression");
  else if (parsed && ["FROM", "ONBUILD", "MAINTAINER"].includes(parsed.name))
    problems.add(source.range(0, trigger.length), `${parsed.name} isn't allowed as an ONBUILD trigger`);
  problems.raise();
  return { ...(parsed as StageInstruction), range: from.range };
}
