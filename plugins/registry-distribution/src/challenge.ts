/** RFC 9110, 11.6.1. Scheme and parameter names in lower case. */
export interface Challenge {
  readonly scheme: string;
  readonly parameters: Readonly<Record<string, string>>;
}

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const parameter = new RegExp(`^\\s*,?\\s*(${token})\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|(${token}))`);
const scheme = new RegExp(`^\\s*,?\\s*(${token})(?=\\s|,|$)`);

/** All challenges of a WWW-Authenticate header; what cannot be read ends the list. */
export function parseChallenges(header: string | null): readonly Challenge[] {
  const challenges: { scheme: string; parameters: Record<string, string> }[] = [];
  let rest = header ?? "";
  while (rest.trim() !== "") {
    const pair = parameter.exec(rest);
    const current = challenges.at(-1);
    if (pair && current) {
      current.parameters[(pair[1] as string).toLowerCase()] = pair[2]?.replace(/\\(.)/g, "$1") ?? (pair[3] as string);
      rest = rest.slice(pair[0].length);
      continue;
    }
    const name = scheme.exec(rest);
    if (!name) break;
    challenges.push({ scheme: (name[1] as string).toLowerCase(), parameters: {} });
    rest = rest.slice(name[0].length);
  }
  return challenges;
}
