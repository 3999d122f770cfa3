import type { Checks } from "./checks.ts";
import type { Arg, From, Instruction } from "./instruction.ts";
import type { Dockerfile } from "./parse.ts";

/** The checks that need nothing but the file. */
export function checkFile(file: Dockerfile, checks: Checks): void {
  for (const range of file.emptyContinuations) checks.warn("NoEmptyContinuation", range, "Empty continuation line");
  for (const arg of file.globalArgs) checkDescriptions(arg, checks.under(arg.comments));
  for (const { from, instructions } of file.stages) {
    checkFrom(from, checks.under(from.comments));
    for (const instruction of instructions) {
      const here = checks.under(instruction.comments);
      if (instruction.name === "ARG") checkDescriptions(instruction, here);
      if (instruction.name === "MAINTAINER")
        here.warn("MaintainerDeprecated", instruction.range, "Maintainer instruction is deprecated in favor of using label");
    }
  }
  checkStageNames(file, checks);
  checkCasing(file, checks);
}

function checkFrom({ keyword, as, alias, stage, range, comments }: From, checks: Checks): void {
  if (!as || !alias || stage === undefined) return;
  if (alias.text !== stage) checks.warn("StageNameCasing", alias.range, `Stage name '${alias.text}' should be lowercase`);
  const like = keyword.text === keyword.text.toLowerCase() ? as.text.toLowerCase() : as.text.toUpperCase();
  if (isOfOneCase(keyword.text) && as.text !== like)
    checks.warn("FromAsCasing", as.range, `'${as.text}' and '${keyword.text}' keywords' casing do not match`);
  checkDescription("FROM", [stage], { range, comments }, checks);
}

const checkDescriptions = (arg: Arg, checks: Checks) =>
  checkDescription(
    "ARG",
    arg.definitions.map(({ name }) => name.text),
    arg,
    checks,
  );

/** The comment directly above describes what is defined, and begins with its name. */
function checkDescription(
  keyword: string,
  names: readonly string[],
  { range, comments }: Pick<Instruction, "range" | "comments">,
  checks: Checks,
): void {
  const [first] = comments.at(-1)?.split(" ") ?? [];
  if (first === undefined || names.includes(first)) return;
  const example = names.length > 1 ? "<arg_key>" : names[0];
  const message = `Comment for ${keyword} should follow the format: \`# ${example} <description>\``;
  checks.warn("InvalidDefinitionDescription", range, message);
}

function checkStageNames({ stages }: Dockerfile, checks: Checks): void {
  const seen = new Set<string>();
  for (const { from } of stages) {
    const { stage, alias } = from;
    if (stage === undefined || !alias) continue;
    if (stage === "context" || stage === "scratch")
      checks.warn("ReservedStageName", alias.range, `Stage name should not use the same name as reserved stage ${JSON.stringify(stage)}`);
    if (seen.has(stage))
      checks.warn("DuplicateStageName", alias.range, `Duplicate stage name ${JSON.stringify(stage)}, stage names should be unique`);
    seen.add(stage);
  }
}

const isOfOneCase = (text: string) => text === text.toLowerCase() || text === text.toUpperCase();

/** All keywords like most of them. */
function checkCasing({ stages }: Dockerfile, checks: Checks): void {
  const keywords = stages.flatMap(({ from, instructions }) => [from, ...instructions].map(({ keyword }) => keyword));
  const clear = keywords.filter(({ text }) => isOfOneCase(text));
  const lower = clear.filter(({ text }) => text === text.toLowerCase()).length > clear.length / 2;
  for (const { text, range } of keywords) {
    if (text === (lower ? text.toLowerCase() : text.toUpperCase())) continue;
    const message = `Command '${text}' should match the case of the command majority (${lower ? "lowercase" : "uppercase"})`;
    checks.warn("ConsistentInstructionCasing", range, message);
  }
}
