import { type Dockerfile, type Instruction, type Piece, parseDockerfile, type Range } from "../src/index.ts";

export const instructionsOf = ({ globalArgs, stages }: Dockerfile): readonly Instruction[] => [
  ...globalArgs,
  ...stages.flatMap(({ from, instructions }) => [from, ...instructions]),
];

export const place = ({ start, end }: Range): string => `${start.line}:${start.column}-${end.line}:${end.column}`;

const isPiece = (value: object): value is Piece => "text" in value && "range" in value && Object.keys(value).length === 2;

/** Everything a file says, one line an instruction and one a value, each with its place. */
export function describeFile(text: string): string {
  const file = parseDockerfile(text);
  const lines = Object.entries(file.directives).map(([name, { text, range }]) => `# ${name} ${JSON.stringify(text)} ${place(range)}`);
  for (const range of file.emptyContinuations) lines.push(`empty line in a continuation ${place(range)}`);
  for (const { name, range, keyword, text, comments, ...values } of instructionsOf(file)) {
    lines.push(`${name} ${place(range)} ${JSON.stringify(text)}`);
    for (const comment of comments) lines.push(`  # ${comment}`);
    for (const [field, value] of Object.entries(values)) describeValue(lines, `  ${field}`, value);
  }
  return `${lines.join("\n")}\n`;
}

function describeValue(lines: string[], field: string, value: unknown): void {
  if (Array.isArray(value)) {
    for (const [index, each] of value.entries()) describeValue(lines, `${field}[${index}]`, each);
  } else if (typeof value !== "object" || value === null) lines.push(`${field} = ${JSON.stringify(value)}`);
  else if (isPiece(value)) lines.push(`${field} = ${JSON.stringify(value.text)} ${place(value.range)}`);
  else if ("start" in value) lines.push(`${field} = ${place(value as Range)}`);
  else for (const [key, each] of Object.entries(value)) describeValue(lines, `${field}.${key}`, each);
}

/** Every piece of an instruction. */
export function piecesOf(value: unknown): readonly Piece[] {
  if (typeof value !== "object" || value === null) return [];
  if (isPiece(value)) return [value];
  return Object.values(value).flatMap(piecesOf);
}
