export { type Directives, foreignFrontend } from "./directive.ts";
export { type Escape, type ExpandOptions, type Expansion, expand, type Variables } from "./expand.ts";
export type { Heredoc, HeredocMark } from "./heredoc.ts";
export * from "./instruction.ts";
export { parseMount, type RunMount } from "./mount.ts";
export { type Dockerfile, type ParsedStage, parseDockerfile, parseTrigger, type StageInstruction } from "./parse.ts";
export { DockerfileError } from "./problem.ts";
export { type Piece, type Position, type Range, Source } from "./source.ts";
