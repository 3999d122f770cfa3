import type { Platform } from "@ramekin/core";
import { formatPlatform, normalizePlatform } from "@ramekin/oci";
import { type Escape, expand, type Variables } from "./expand.ts";
import type { Arg, ArgDefinition } from "./instruction.ts";
import type { Problems } from "./problem.ts";
import type { Range } from "./source.ts";

/**
 * Arguments that RUN has without an ARG, in either case. They are in neither the history nor the cache key, unless an ARG declares them.
 */
export const proxyArguments: readonly string[] = ["HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"].flatMap((name) => [
  name,
  name.toLowerCase(),
]);

/** An argument as far as it is known: where it was declared, what it is, which others its default is made of. */
export interface Argument {
  readonly name: string;
  readonly value?: string;
  readonly description?: string;
  readonly range: Range;
  readonly parts: ReadonlySet<string>;
}

/** What stands in front of the first FROM, and what is there without it. */
export interface GlobalArguments {
  /** Declared ones that have a value, and those of the platform: what FROM may use. */
  readonly values: Variables;
  readonly declared: ReadonlyMap<string, Argument>;
}

export interface Platforms {
  readonly target: Platform;
  readonly build: Platform;
  /** `--platform` was given: the image is for the target, whatever it begins with. */
  readonly explicit?: boolean;
}

/** Without any ARG these are known to FROM; a stage has those that it declares. */
export function platformArguments({ target, build }: Platforms, stage: string, given: Variables): Map<string, string> {
  const of = (prefix: string, platform: Platform): readonly (readonly [string, string])[] => {
    const { os, architecture, variant = "", "os.version": version = "" } = normalizePlatform(platform);
    return [
      [`${prefix}PLATFORM`, formatPlatform(platform)],
      [`${prefix}OS`, os],
      [`${prefix}OSVERSION`, version],
      [`${prefix}ARCH`, architecture],
      [`${prefix}VARIANT`, variant],
    ];
  };
  const all = [...of("BUILD", build), ...of("TARGET", target), ["TARGETSTAGE", stage || "default"] as const];
  return new Map(all.map(([name, value]) => [name, given.get(name) ?? value]));
}

export function globalArguments(
  args: readonly Arg[],
  predefined: Variables,
  given: Variables,
  escapeToken: Escape,
  problems: Problems,
): GlobalArguments {
  const values = new Map(predefined);
  const declared = new Map<string, Argument>();
  for (const { definitions, range } of args) {
    for (const definition of definitions) {
      const name = definition.name.text;
      const { value, parts } = globalValue(definition, values, given, escapeToken, problems);
      // `ARG A=${A}x` is made of what the one before was made of.
      const inherited = parts.has(name) ? (declared.get(name)?.parts ?? []) : [];
      const from = new Set([...parts, ...inherited].filter((part) => part !== name));
      if (value !== undefined) values.set(name, value);
      declared.set(name, argument(definition, range, value, from));
    }
  }
  return { values, declared };
}

function globalValue(
  { name, value }: ArgDefinition,
  values: Variables,
  given: Variables,
  escapeToken: Escape,
  problems: Problems,
): { readonly value: string | undefined; readonly parts: ReadonlySet<string> } {
  const set = given.get(name.text);
  if (set !== undefined || !value) return { value: set, parts: new Set() };
  const expansion = problems.hear(value.range, () => expand(value.text, values, { escape: escapeToken }));
  return { value: expansion?.text ?? "", parts: expansion?.found ?? new Set() };
}

export function argument(
  { name, description }: ArgDefinition,
  range: Range,
  value: string | undefined,
  parts: ReadonlySet<string> = new Set(),
): Argument {
  return { name: name.text, ...(value !== undefined && { value }), ...(description !== undefined && { description }), range, parts };
}
