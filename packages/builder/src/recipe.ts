import { RamekinError } from "@ramekin/core";
import { copyText, healthText, mountText, pairsText, runText, type TransferText, valueText, words, writeText } from "./recipe-text.ts";

/** What a stage begins with: an image by name, or another recipe. */
export type RecipeBase = string | Recipe;

export type RecipeMount =
  | { readonly type: "bind"; readonly target: string; readonly source?: string; readonly from?: RecipeBase; readonly writable?: boolean }
  | {
      readonly type: "cache";
      readonly target: string;
      /** `target` when absent. */
      readonly id?: string;
      readonly sharing?: "shared" | "private" | "locked";
      readonly readOnly?: boolean;
      readonly from?: RecipeBase;
      readonly source?: string;
      readonly mode?: number;
      readonly uid?: number;
      readonly gid?: number;
    }
  | { readonly type: "tmpfs"; readonly target: string; readonly size?: number }
  | {
      readonly type: "secret";
      readonly id: string;
      /** `/run/secrets/<id>` when absent, unless there is an `env`. */
      readonly target?: string;
      readonly env?: string;
      readonly required?: boolean;
      readonly mode?: number;
      readonly uid?: number;
      readonly gid?: number;
    }
  | { readonly type: "ssh"; readonly id?: string; readonly target?: string; readonly required?: boolean; readonly mode?: number };

export interface RecipeRun {
  readonly mounts?: readonly RecipeMount[];
  readonly network?: "default" | "host" | "none";
  readonly security?: "sandbox" | "insecure";
}

export interface RecipeWrite {
  /** `user:group`, by name or number. */
  readonly chown?: string;
  /** Octal, `755`, or in symbols, `u+x`. */
  readonly chmod?: string;
  readonly link?: boolean;
}

export interface RecipeCopy extends RecipeWrite {
  /** A recipe or an image; the build context when absent. */
  readonly from?: RecipeBase;
  readonly parents?: boolean;
  readonly exclude?: readonly string[];
}

export interface RecipeAdd extends RecipeWrite {
  readonly checksum?: string;
  readonly keepGitDir?: boolean;
  readonly unpack?: boolean;
  readonly exclude?: readonly string[];
}

export interface RecipeHealthcheck {
  /** A list is run as it is, a string by the shell. */
  readonly command: string | readonly string[];
  /** `30s`, `1m30s`. */
  readonly interval?: string;
  readonly timeout?: string;
  readonly startPeriod?: string;
  readonly startInterval?: string;
  readonly retries?: number;
}

/** An instruction, once it is known what the stages are called. */
type Line = (nameOf: (base: RecipeBase) => string) => string;

/**
 * An image, told in TypeScript. A recipe never changes: each method returns another one, so that several can go on from the same.
 * `toDockerfile` is the Dockerfile that says the same; what is built of one is known when the other is built.
 *
 * Values mean what they mean in a Dockerfile: `$NAME` is a variable and `\$` the sign; all else is taken as it is written.
 */
export class Recipe {
  readonly #base: RecipeBase;
  readonly #platform: string | undefined;
  readonly #lines: readonly Line[];
  readonly #uses: readonly Recipe[];
  readonly #name: string | undefined;

  constructor(
    base: RecipeBase,
    {
      platform,
      lines = [],
      uses = [],
      name,
    }: { platform?: string | undefined; lines?: readonly Line[]; uses?: readonly Recipe[]; name?: string | undefined } = {},
  ) {
    this.#base = base;
    this.#platform = platform;
    this.#lines = lines;
    this.#uses = uses;
    this.#name = name;
  }

  /** What the stage is called: for `target`, and in progress. */
  as(name: string): Recipe {
    if (!/^[a-z][a-z0-9-_.]*$/.test(name))
      throw new RamekinError("INVALID_ARGUMENT", `${JSON.stringify(name)} is no name for a stage`, {
        hint: "a-z first, then also 0-9 - _ .",
      });
    return new Recipe(this.#base, { platform: this.#platform, lines: this.#lines, uses: this.#uses, name });
  }

  /** A string is for the shell, and may have several lines; a list is a program and its arguments. */
  run(command: string | readonly string[], { mounts = [], network, security }: RecipeRun = {}): Recipe {
    const bases = mounts.flatMap((mount) => ("from" in mount && mount.from !== undefined ? [mount.from] : []));
    return this.#with(
      (nameOf) =>
        runText(command, [...mounts.map((mount) => mountText(mount, nameOf)), ...flag("network", network), ...flag("security", security)]),
      bases,
    );
  }

  copy(sources: string | readonly string[], destination: string, options: RecipeCopy = {}): Recipe {
    const { from, parents, exclude = [] } = options;
    const flags = (nameOf: (base: RecipeBase) => string) => [
      ...(from === undefined ? [] : flag("from", nameOf(from))),
      ...writeFlags(options),
      ...(parents ? ["--parents"] : []),
      ...exclude.flatMap((pattern) => flag("exclude", pattern)),
    ];
    const text: TransferText = { keyword: "COPY", sources: [sources].flat(), destination };
    return this.#with((nameOf) => copyText(text, flags(nameOf)), from === undefined ? [] : [from]);
  }

  /** Files of the context, of the web and of repositories; archives of the context are unpacked. */
  add(sources: string | readonly string[], destination: string, options: RecipeAdd = {}): Recipe {
    const { checksum, keepGitDir, unpack, exclude = [] } = options;
    const flags = [
      ...flag("checksum", checksum),
      ...flag("keep-git-dir", keepGitDir),
      ...flag("unpack", unpack),
      ...writeFlags(options),
      ...exclude.flatMap((pattern) => flag("exclude", pattern)),
    ];
    return this.#with(() => copyText({ keyword: "ADD", sources: [sources].flat(), destination }, flags));
  }

  /** A file of this text, whose last line ends as all do. */
  write(path: string, text: string, options: RecipeWrite = {}): Recipe {
    return this.#with(() => writeText(path, text, writeFlags(options)));
  }

  env(variables: Readonly<Record<string, string>>): Recipe {
    return this.#with(() => `ENV ${pairsText(variables)}`);
  }

  label(labels: Readonly<Record<string, string>>): Recipe {
    return this.#with(() => `LABEL ${pairsText(labels)}`);
  }

  /** An argument of the build, known to what follows. */
  arg(name: string, value?: string): Recipe {
    return this.#with(() => `ARG ${value === undefined ? name : pairsText({ [name]: value })}`);
  }

  workdir(path: string): Recipe {
    return this.#with(() => `WORKDIR ${valueText(path)}`);
  }

  user(user: string): Recipe {
    return this.#with(() => `USER ${valueText(user)}`);
  }

  expose(...ports: readonly (number | string)[]): Recipe {
    return this.#with(() => `EXPOSE ${ports.join(" ")}`);
  }

  volume(...paths: readonly string[]): Recipe {
    return this.#with(() => `VOLUME ${words(paths)}`);
  }

  /** The shell of what follows. */
  shell(shell: readonly string[]): Recipe {
    return this.#with(() => `SHELL ${JSON.stringify(shell)}`);
  }

  entrypoint(command: string | readonly string[]): Recipe {
    return this.#with(() => runText(command, [], "ENTRYPOINT"));
  }

  cmd(command: string | readonly string[]): Recipe {
    return this.#with(() => runText(command, [], "CMD"));
  }

  healthcheck(check: RecipeHealthcheck | "none"): Recipe {
    return this.#with(() => healthText(check));
  }

  stopSignal(signal: string): Recipe {
    return this.#with(() => `STOPSIGNAL ${valueText(signal)}`);
  }

  toDockerfile(): string {
    const stages = new Map<Recipe, string>();
    collect(this, stages, new Set());
    const nameOf = (base: RecipeBase) => (typeof base === "string" ? valueText(base) : (stages.get(base) as string));
    const last = [...stages.keys()].at(-1);
    return [...stages].map(([recipe, name]) => recipe.#stage(nameOf, recipe === last && !recipe.#name ? undefined : name)).join("\n");
  }

  #stage(nameOf: (base: RecipeBase) => string, name: string | undefined): string {
    const platform = flag("platform", this.#platform);
    const from = ["FROM", ...platform, nameOf(this.#base), ...(name === undefined ? [] : ["AS", name])].join(" ");
    return `${[from, ...this.#lines.map((line) => line(nameOf))].join("\n")}\n`;
  }

  #with(line: Line, bases: readonly RecipeBase[] = []): Recipe {
    const uses = [...this.#uses, ...bases.filter((base) => base instanceof Recipe)];
    return new Recipe(this.#base, { platform: this.#platform, lines: [...this.#lines, line], uses, name: this.#name });
  }

  /** What has to stand above it. */
  static needs(recipe: Recipe): readonly Recipe[] {
    return [...(recipe.#base instanceof Recipe ? [recipe.#base] : []), ...recipe.#uses];
  }

  static nameOf(recipe: Recipe): string | undefined {
    return recipe.#name;
  }
}

/** Each once, after what it needs. */
function collect(recipe: Recipe, stages: Map<Recipe, string>, names: Set<string>): void {
  if (stages.has(recipe)) return;
  for (const needed of Recipe.needs(recipe)) collect(needed, stages, names);
  const name = Recipe.nameOf(recipe) ?? `stage-${stages.size}`;
  if (names.has(name)) throw new RamekinError("INVALID_ARGUMENT", `two stages are called ${name}`);
  names.add(name);
  stages.set(recipe, name);
}

function flag(name: string, value: string | boolean | undefined): readonly string[] {
  if (value === undefined) return [];
  const text = String(value);
  if (/[\s"'\\]/.test(text))
    throw new RamekinError("INVALID_ARGUMENT", `--${name} cannot have blanks, quotes or backslashes: ${JSON.stringify(text)}`);
  return [`--${name}=${text}`];
}

const writeFlags = ({ chown, chmod, link }: RecipeWrite) => [...flag("chown", chown), ...flag("chmod", chmod), ...(link ? ["--link"] : [])];

/** The beginnings of recipes. */
export const image = {
  /** An image, or what another recipe makes. */
  from: (base: RecipeBase, { platform }: { readonly platform?: string } = {}): Recipe => new Recipe(base, { platform }),
  /** Nothing. */
  scratch: (): Recipe => new Recipe("scratch"),
} as const;
