import { expect, test } from "vitest";
import { checkDockerfile, IgnoreMatcher, listTargets, outlineOf, type RuleName, rules, ruleURL, warningText } from "../src/index.ts";
import { evaluate, resolve } from "./resolve.ts";

function warningsOf(text: string, given: Parameters<typeof resolve>[1] = {}): readonly string[] {
  const { file, options } = resolve(text, { ...given, all: true });
  const { ignore } = given;
  const { warnings, error } = checkDockerfile(file, { ...options, ...(ignore && { ignore }) });
  if (error) throw error;
  return warnings.map(({ rule, message, range }) => `${range.start.line}:${range.start.column} ${rule} ${message}`);
}

const end = '\nUSER u\nCMD ["x"]';

// The messages are those of BuildKit v0.34.2 for the same files; columns are ours.
const examples: Readonly<Record<RuleName, readonly [text: string, ...warnings: string[]]>> = {
  StageNameCasing: ["FROM a AS Base", "1:11 StageNameCasing Stage name 'Base' should be lowercase"],
  FromAsCasing: ["FROM a as base", "1:8 FromAsCasing 'as' and 'FROM' keywords' casing do not match"],
  NoEmptyContinuation: ["FROM a\nRUN x \\\n\n y", "3:1 NoEmptyContinuation Empty continuation line"],
  ConsistentInstructionCasing: [
    "FROM a\nRun x\nUSER y",
    "2:1 ConsistentInstructionCasing Command 'Run' should match the case of the command majority (uppercase)",
  ],
  DuplicateStageName: ["FROM a AS b\nFROM a AS b", '2:11 DuplicateStageName Duplicate stage name "b", stage names should be unique'],
  ReservedStageName: ["FROM a AS context", '1:11 ReservedStageName Stage name should not use the same name as reserved stage "context"'],
  JSONArgsRecommended: [
    "FROM a\nENTRYPOINT x",
    "2:1 JSONArgsRecommended JSON arguments recommended for ENTRYPOINT to prevent unintended behavior related to OS signals",
  ],
  MaintainerDeprecated: ["FROM a\nMAINTAINER x", "2:1 MaintainerDeprecated Maintainer instruction is deprecated in favor of using label"],
  UndefinedArgInFrom: [
    "ARG VERSION=1\nFROM a:x${VERSIO}",
    "2:1 UndefinedArgInFrom FROM argument 'VERSIO' is not declared (did you mean VERSION?)",
  ],
  WorkdirRelativePath: [
    "FROM a\nWORKDIR b\nWORKDIR c",
    '2:1 WorkdirRelativePath Relative workdir "b" can have unexpected results if the base image changes',
  ],
  UndefinedVar: ["FROM a\nENV PATH=/x:$PAHT", "2:1 UndefinedVar Usage of undefined variable '$PAHT' (did you mean $PATH?)"],
  MultipleInstructionsDisallowed: [
    'FROM a\nCMD ["x"]\nCMD ["y"]',
    "2:1 MultipleInstructionsDisallowed Multiple CMD instructions should not be used in the same stage because only the last one will be used",
  ],
  LegacyKeyValueFormat: [
    "FROM a\nENV x y",
    '2:1 LegacyKeyValueFormat "ENV key=value" should be used instead of legacy "ENV key value" format',
  ],
  RedundantTargetPlatform: [
    "FROM --platform=$TARGETPLATFORM a",
    "1:1 RedundantTargetPlatform Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior",
  ],
  SecretsUsedInArgOrEnv: [
    "FROM a\nARG MY_TOKEN\nENV API_KEY=x PUBLIC_KEY=y",
    '2:1 SecretsUsedInArgOrEnv Do not use ARG or ENV instructions for sensitive data (ARG "MY_TOKEN")',
    '3:1 SecretsUsedInArgOrEnv Do not use ARG or ENV instructions for sensitive data (ENV "API_KEY")',
  ],
  InvalidDefaultArgInFrom: [
    "ARG V\nFROM a:$V",
    "2:1 InvalidDefaultArgInFrom Default value for ARG a:$V results in empty or invalid base image name",
  ],
  FromPlatformFlagConstDisallowed: [
    "FROM --platform=linux/arm64 a",
    '1:1 FromPlatformFlagConstDisallowed FROM --platform flag should not use constant value "linux/arm64"',
  ],
  CopyIgnoredFile: ["FROM a\nCOPY ./b/../x.md y /", '2:1 CopyIgnoredFile Attempting to Copy file "x.md" that is excluded by .dockerignore'],
  InvalidDefinitionDescription: [
    "# check=experimental=all\n# wrong\nARG a=1\n# base: x\nFROM a AS base\n# a is right\n# b too\nARG b",
    "3:1 InvalidDefinitionDescription Comment for ARG should follow the format: `# a <description>`",
    "5:1 InvalidDefinitionDescription Comment for FROM should follow the format: `# base <description>`",
  ],
  ExposeProtoCasing: ["FROM a\nEXPOSE 80/TCP", "2:1 ExposeProtoCasing Defined protocol '80/TCP' in EXPOSE instruction should be lowercase"],
  ExposeInvalidFormat: [
    "FROM a\nEXPOSE 127.0.0.1:80:80",
    "2:1 ExposeInvalidFormat EXPOSE instruction should not define an IP address or host-port mapping, found '127.0.0.1:80:80'",
  ],
};

const given = { ignore: new IgnoreMatcher(["*.md"]), args: { V: "1", VERSIO: "2" } };

test.each(Object.entries(examples))("[BLD-14] %s", (rule, [text, ...expected]) => {
  expect(Object.keys(examples)).toEqual(Object.keys(rules));
  expect(warningsOf(text, given)).toEqual(expected);
  // It can be switched off for the file; the experimental one is off unless asked for.
  const quiet =
    rule === "InvalidDefinitionDescription" ? text.replace("# check=experimental=all\n", "") : `# check=skip=Other,${rule}\n${text}`;
  expect(warningsOf(quiet, given)).toEqual([]);
});

test("[BLD-14] a check can be skipped for one instruction, or all for a file", () => {
  expect(warningsOf("FROM a\n# check=skip=MaintainerDeprecated\nMAINTAINER x")).toEqual([]);
  expect(warningsOf(`# check=skip=all\nFROM a as B\nMAINTAINER x`)).toEqual([]);
});

test.each<[string, boolean]>([
  ["# check=error=true\nFROM a AS B", true],
  [`# check=error=true\nFROM a AS b${end}`, false],
  ["# check=skip=all;error=true\nFROM a AS B", false],
  ["FROM a AS B", false],
])("[BLD-14] error=true: %j fails: %s", (text, failed) => {
  const { file, options, violation } = evaluate(text);
  expect(checkDockerfile(file, options).failed).toBe(failed);
  expect(violation?.message).toBe(failed ? "lint violation found for rules: StageNameCasing" : undefined);
});

test("[BLD-14] what stops a check is told beside what was found until then", () => {
  const { file, options } = resolve("FROM a");
  const { error, failed } = checkDockerfile(file, { ...options, target: "b" });
  expect([error?.message, failed]).toEqual(['target stage "b" could not be found', true]);
  expect(() => resolve("# check=skip\nFROM a")).toThrow('Dockerfile:1:9: invalid check option "skip"');
});

test("[BLD-14] variables of an image that has not been looked at are not told to be undefined", () => {
  const { file, options } = resolve("FROM a\nENV B=$NODE_VERSION");
  expect(checkDockerfile(file, { ...options, bases: new Map() }).warnings).toEqual([]);
  expect(checkDockerfile(file, options).warnings).toHaveLength(1);
});

test("[BLD-14] a warning as Docker prints it", () => {
  const { warnings } = evaluate("FROM a\nMAINTAINER x");
  expect(warnings.map(warningText)).toEqual([
    "MaintainerDeprecated: Maintainer instruction is deprecated in favor of using label (line 2)",
  ]);
});

test("[BLD-14] a rule has a page in Docker's documentation", () => {
  expect([ruleURL("JSONArgsRecommended"), ruleURL("NoEmptyContinuation")]).toEqual([
    "https://docs.docker.com/go/dockerfile/rule/json-args-recommended/",
    "https://docs.docker.com/go/dockerfile/rule/no-empty-continuation/",
  ]);
});

const described = `# VERSION of the base image
ARG VERSION=1
ARG TAG=v\${VERSION}
ARG UNUSED
# base all stand on
FROM debian:$TAG AS base
ARG VERSION
FROM base AS other
ARG NOT_HERE
# app is what runs
FROM base AS app
# PORT it listens on
ARG PORT=80 HOST
RUN --mount=type=secret,id=token,required --mount=type=secret,id=token --mount=type=ssh x
`;

test("[BLD-14] --call=targets", () => {
  expect(listTargets(resolve(described).file).map(({ range, ...target }) => ({ ...target, line: range.start.line }))).toEqual([
    { name: "base", description: "all stand on", base: "debian:$TAG", default: false, line: 6 },
    { name: "other", base: "base", default: false, line: 8 },
    { name: "app", description: "is what runs", base: "base", default: true, line: 11 },
  ]);
});

test("[BLD-14] --call=outline", () => {
  const { graph, ...evaluation } = evaluate(described, { args: { HOST: "h" } });
  const { arguments: args, secrets, ssh, ...rest } = outlineOf(graph, evaluation);
  expect(rest).toEqual({ name: "app", description: "is what runs" });
  expect(args.map(({ range, ...argument }) => ({ ...argument, line: range.start.line }))).toEqual([
    { name: "VERSION", value: "1", description: "of the base image", line: 2 },
    { name: "TAG", value: "v1", line: 3 },
    { name: "PORT", value: "80", description: "it listens on", line: 13 },
    { name: "HOST", value: "h", line: 13 },
  ]);
  expect(secrets.map(({ name, required, range }) => [name, required, range.start.line])).toEqual([["token", true, 14]]);
  expect(ssh.map(({ name, required }) => [name, required])).toEqual([["default", false]]);
});
