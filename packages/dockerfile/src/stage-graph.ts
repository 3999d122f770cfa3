import { isRamekinError, type Platform, RamekinError } from "@ramekin/core";
import { type ContainerImageConfig, familiarReference, formatPlatform, formatReference, parsePlatform, parseReference } from "@ramekin/oci";
import { type GlobalArguments, globalArguments, type Platforms, platformArguments } from "./arguments.ts";
import { Checks, parseCheckOptions } from "./checks.ts";
import { type Expansion, expand, type Variables } from "./expand.ts";
import { checkFile } from "./file-checks.ts";
import type { Copy, From, Run, StageInstruction } from "./instruction.ts";
import { mountSource } from "./mount.ts";
import { type Dockerfile, type ParsedStage, parseTrigger } from "./parse.ts";
import { Complaint, Problems } from "./problem.ts";
import type { Piece, Range } from "./source.ts";
import { didYouMean, suggest } from "./suggest.ts";

export interface ResolveOptions {
  readonly platforms: Platforms;
  /** The last stage unless it says another, by name. */
  readonly target?: string;
  /** `--build-arg`. */
  readonly buildArgs?: Variables;
  /** Names of `--build-context`: they take the place of stages and images of that name. */
  readonly contexts?: ReadonlySet<string>;
  /** More names of stages, by the name that means them: they take the place of images of that name. */
  readonly stages?: ReadonlyMap<string, string>;
  /** What is known of images and contexts that stages begin with, by `sourceKey`; the others are in `missing`. */
  readonly bases?: ReadonlyMap<string, ContainerImageConfig>;
  /** Every stage is needed: for checks. */
  readonly all?: boolean;
}

/** What a stage begins with, or files are copied and mounted from. */
export type Origin =
  | { readonly kind: "scratch" }
  | { readonly kind: "stage"; readonly index: number }
  | { readonly kind: "context"; readonly name: string; readonly platform: Platform }
  | { readonly kind: "image"; readonly reference: string; readonly platform: Platform };

export type BaseOrigin = Extract<Origin, { kind: "context" | "image" }>;

export const sourceKey = (origin: BaseOrigin): string =>
  `${origin.kind} ${origin.kind === "image" ? origin.reference : origin.name} ${formatPlatform(origin.platform)}`;

export interface Stage {
  readonly index: number;
  /** `stage-0` where it has none. */
  readonly name: string;
  readonly from: From;
  readonly base: Origin;
  readonly platform: Platform;
  /** Triggers of the base image or stage first. */
  readonly instructions: readonly StageInstruction[];
  /** How many of them are triggers. */
  readonly triggers: number;
  /** Of COPY the one, of RUN one for each mount; without it is the build context. */
  readonly origins: ReadonlyMap<StageInstruction, readonly (Origin | undefined)[]>;
  /** Global arguments that its FROM uses. */
  readonly used: ReadonlySet<string>;
}

export interface StageGraph {
  readonly file: Dockerfile;
  readonly options: ResolveOptions;
  readonly globals: GlobalArguments;
  readonly stages: readonly Stage[];
  readonly target: Stage;
  /** In the order of the file, which is one in which they can be built: a stage can use only those above it. */
  readonly needed: readonly Stage[];
  /** Images and contexts whose configuration is needed to know more: resolve again once it is there. */
  readonly missing: readonly BaseOrigin[];
  readonly checks: Checks;
}

/**
 * The stages and what each needs. An image may have ONBUILD triggers that copy from further images, so the caller resolves, reads the
 * configurations of what is `missing`, and resolves again until nothing is.
 */
export function resolveStages(file: Dockerfile, options: ResolveOptions): StageGraph {
  const problems = new Problems(file.source);
  const { check } = file.directives;
  const checks = new Checks(check && problems.hear(check.range, () => parseCheckOptions(check.text)));
  checkFile(file, checks);
  const resolver = new Resolver(file, options, problems, checks);
  const graph = resolver.resolve();
  problems.raise();
  return graph;
}

class Resolver {
  readonly #file: Dockerfile;
  readonly #options: ResolveOptions;
  readonly #problems: Problems;
  readonly #checks: Checks;
  readonly #globals: GlobalArguments;
  readonly #stages: Stage[] = [];
  readonly #byName = new Map<string, Stage>();
  readonly #missing = new Map<string, BaseOrigin>();

  constructor(file: Dockerfile, options: ResolveOptions, problems: Problems, checks: Checks) {
    this.#file = file;
    this.#options = options;
    this.#problems = problems;
    this.#checks = checks;
    const { platforms, buildArgs = new Map(), target = file.stages.at(-1)?.from.stage ?? "" } = options;
    const predefined = platformArguments(platforms, target, buildArgs);
    this.#checkDefaults(predefined);
    this.#globals = globalArguments(file.globalArgs, predefined, buildArgs, file.escapeToken, problems);
  }

  resolve(): StageGraph {
    for (const parsed of this.#file.stages) {
      const stage = this.#problems.hear(parsed.from.range, () => this.#begin(parsed));
      if (!stage) continue;
      this.#stages.push(stage);
      if (parsed.from.stage !== undefined) this.#byName.set(parsed.from.stage, stage);
    }
    this.#problems.raise();
    for (const [index, stage] of this.#stages.entries()) this.#stages[index] = this.#withOrigins(stage);
    this.#problems.raise();
    this.#checkCycles();
    const target = this.#target();
    const needed = this.#needed(target);
    for (const stage of needed) this.#checkOrder(stage);
    return {
      file: this.#file,
      options: this.#options,
      globals: this.#globals,
      stages: this.#stages,
      target,
      needed,
      missing: [...this.#missing.values()],
      checks: this.#checks,
    };
  }

  #begin(parsed: ParsedStage): Stage {
    const { from, index, instructions } = parsed;
    const checks = this.#checks.under(from.comments);
    const base = this.#expand(from.base, from.range, checks);
    if (base.text === "") throw new Complaint(`base name (${from.base.text}) should not be blank`, { range: from.base.range });
    const used = new Set(base.found);
    let platform: Platform | undefined;
    if (from.platform) {
      const expansion = this.#expand(from.platform, from.range, checks);
      for (const name of expansion.found) used.add(name);
      platform = this.#platform(from.platform, from, expansion, checks);
    }
    // A named context of the stage's own name takes the place of the whole stage.
    const replaced = from.stage !== undefined && this.#context(from.stage);
    const origin = replaced
      ? { kind: "context" as const, name: replaced, platform: platform ?? this.#options.platforms.target }
      : this.#origin(base.text, from.base.range, platform);
    const above = origin.kind === "stage" ? this.#stages[origin.index] : undefined;
    return {
      index,
      name: from.stage ?? `stage-${index}`,
      from,
      base: origin,
      platform: above?.platform ?? platform ?? this.#options.platforms.target,
      instructions: replaced ? [] : instructions,
      triggers: 0,
      origins: new Map(),
      used,
    };
  }

  #expand(piece: Piece, range: Range, checks: Checks): Expansion {
    const { values, declared } = this.#globals;
    const expansion = this.#problems.hear(piece.range, () => expand(piece.text, values, { escape: this.#file.escapeToken }));
    for (const name of expansion?.missing ?? []) {
      if (declared.has(name)) continue;
      const nearest = suggest(name, [...declared.keys(), ...values.keys()]);
      checks.warn("UndefinedArgInFrom", range, `FROM argument '${name}' is not declared${nearest ? ` (did you mean ${nearest}?)` : ""}`);
    }
    // Something to go on with: what is wrong has been told.
    return expansion ?? { text: "scratch", words: [], found: new Set(), missing: new Set() };
  }

  #platform(piece: Piece, { stage = "", range }: From, { text, found, missing }: Expansion, checks: Checks): Platform {
    const hint = [...missing].flatMap((name) => didYouMean(name, this.#globals.values.keys()) ?? [])[0];
    if (text === "") throw new Complaint(`empty platform value from expression ${piece.text}`, { range: piece.range, hint });
    if (found.size === 1 && missing.size === 0 && found.has("TARGETPLATFORM") && text === this.#globals.values.get("TARGETPLATFORM")) {
      const message = `Setting platform to predefined ${piece.text} in FROM is redundant as this is the default behavior`;
      checks.warn("RedundantTargetPlatform", range, message);
    }
    let platform: Platform;
    try {
      platform = parsePlatform(text);
    } catch (error) {
      if (!isRamekinError(error)) throw error;
      throw new Complaint(`failed to parse platform ${piece.text}: ${error.message}`, { range: piece.range, hint: hint ?? error.hint });
    }
    if (found.size === 0 && missing.size === 0 && !stage.includes(platform.os) && !stage.includes(platform.architecture))
      checks.warn("FromPlatformFlagConstDisallowed", range, `FROM --platform flag should not use constant value ${JSON.stringify(text)}`);
    return platform;
  }

  /** A base image's name must be one whatever arguments are given. */
  #checkDefaults(predefined: Variables): void {
    const quiet = new Problems(this.#file.source);
    const { escapeToken, globalArgs, stages } = this.#file;
    const { values } = globalArguments(globalArgs, predefined, new Map(), escapeToken, quiet);
    if (quiet.errors.length > 0) return; // told when the arguments are read in earnest
    for (const { from } of stages) {
      try {
        parseReference(expand(from.base.text, values, { escape: escapeToken }).text);
      } catch {
        const message = `Default value for ARG ${from.base.text} results in empty or invalid base image name`;
        this.#checks.warn("InvalidDefaultArgInFrom", from.range, message);
      }
    }
  }

  /** The name under which a context was given, if one was: `debian` also stands for docker.io/library/debian:latest. */
  #context(name: string): string | undefined {
    const { contexts } = this.#options;
    if (!contexts || ["scratch", "context"].includes(name.toLowerCase())) return undefined;
    if (contexts.has(name)) return name;
    try {
      const familiar = familiarReference(parseReference(name)).replace(/:latest$/, "");
      return contexts.has(familiar) ? familiar : undefined;
    } catch {
      return undefined;
    }
  }

  /** A stage above, a named context, or an image. */
  #origin(name: string, range: Range, platform?: Platform): Origin {
    if (name === "scratch") return { kind: "scratch" };
    const meant = this.#options.stages?.get(name);
    const stage = this.#byName.get(meant?.toLowerCase() ?? name);
    if (stage) return { kind: "stage", index: stage.index };
    if (meant !== undefined)
      throw new Complaint(`${name} means the stage ${JSON.stringify(meant)}, which is not above`, {
        range,
        hint: didYouMean(meant, this.#byName.keys()),
      });
    const wanted = platform ?? this.#options.platforms.target;
    const context = this.#context(name);
    if (context !== undefined) return { kind: "context", name: context, platform: wanted };
    try {
      return { kind: "image", reference: formatReference(parseReference(name)), platform: wanted };
    } catch (error) {
      if (!isRamekinError(error)) throw error;
      const hint = didYouMean(name, this.#byName.keys()) ?? error.hint;
      throw new Complaint(`failed to parse stage name ${JSON.stringify(name)}: ${error.message}`, { range, hint });
    }
  }

  /** With the triggers of what it begins with, and with where each instruction takes files from. */
  #withOrigins(stage: Stage): Stage {
    const triggers = this.#triggers(stage).map((trigger) => parseTrigger(trigger, stage.from));
    const instructions = [...triggers, ...stage.instructions];
    const origins = new Map<StageInstruction, readonly (Origin | undefined)[]>();
    for (const instruction of instructions) {
      if (instruction.name !== "COPY" && instruction.name !== "RUN") continue;
      this.#problems.hear(instruction.range, () => origins.set(instruction, this.#originsOf(instruction)));
    }
    return { ...stage, instructions, triggers: triggers.length, origins };
  }

  #triggers({ base }: Stage): readonly string[] {
    if (base.kind === "scratch") return [];
    if (base.kind !== "stage") return this.#options.bases?.get(sourceKey(base))?.config?.OnBuild ?? [];
    const above = this.#file.stages[base.index]?.instructions ?? [];
    return above.flatMap((instruction) => (instruction.name === "ONBUILD" ? instruction.trigger : []));
  }

  #originsOf(instruction: Copy | Run): readonly (Origin | undefined)[] {
    if (instruction.name === "RUN") {
      return instruction.mounts.map(({ text, range }) => {
        const from = mountSource(text);
        return from === undefined ? undefined : this.#origin(this.#byName.has(from.toLowerCase()) ? from.toLowerCase() : from, range);
      });
    }
    const { from } = instruction;
    if (!from) return [undefined];
    if (expand(from.text, new Map(), { escape: this.#file.escapeToken }).text !== from.text) {
      const reason =
        "variable expansion is not supported for --from, define a new stage with FROM using ARG from global scope as a workaround";
      throw new Complaint(reason, { range: from.range });
    }
    if (/^[-+]?\d+$/.test(from.text)) {
      const index = Number(from.text);
      if (index < 0 || index >= this.#stages.length) throw new Complaint(`invalid stage index ${index}`, { range: from.range });
      return [{ kind: "stage", index }];
    }
    const name = from.text.toLowerCase();
    return [this.#origin(this.#byName.has(name) ? name : from.text, from.range)];
  }

  #target(): Stage {
    const { target } = this.#options;
    const last = this.#stages.at(-1) as Stage;
    if (target === undefined || target === "") return last;
    const found = this.#byName.get(target.toLowerCase());
    // By its number: the names are of stages as they began, before it was known what each takes from where.
    if (found) return this.#stages[found.index] as Stage;
    const hint = didYouMean(target, this.#byName.keys()) ?? `its stages are ${[...this.#byName.keys()].join(", ") || "without names"}`;
    throw new RamekinError("INVALID_ARGUMENT", `target stage ${JSON.stringify(target)} could not be found`, { hint });
  }

  /** The target, and what it is made of. */
  #needed(target: Stage): readonly Stage[] {
    const reached = new Set<number>();
    const visit = (stage: Stage) => {
      if (reached.has(stage.index)) return;
      reached.add(stage.index);
      for (const origin of originsOf(stage)) {
        if (origin.kind === "stage") visit(this.#stages[origin.index] as Stage);
      }
    };
    visit(target);
    if (this.#options.all) for (const stage of this.#stages) visit(stage);
    for (const stage of this.#stages) {
      if (reached.has(stage.index) && (stage.base.kind === "image" || stage.base.kind === "context")) this.#need(stage.base);
    }
    return this.#stages.filter(({ index }) => reached.has(index));
  }

  #need(base: BaseOrigin): void {
    const key = sourceKey(base);
    if (!this.#options.bases?.has(key)) this.#missing.set(key, base);
  }

  /** A stage that copies from itself, or from one that copies from it. */
  #checkCycles(): void {
    const visited = new Set<number>();
    const path: number[] = [];
    const visit = (stage: Stage): void => {
      if (visited.has(stage.index)) return;
      visited.add(stage.index);
      path.push(stage.index);
      for (const [instruction, origins] of stage.origins) {
        for (const origin of origins) {
          if (origin?.kind !== "stage") continue;
          if (path.includes(origin.index)) this.#problems.add(instruction.range, `circular dependency detected on stage: ${stage.name}`);
          else visit(this.#stages[origin.index] as Stage);
        }
      }
      path.pop();
    };
    for (const stage of this.#stages) visit(stage);
    this.#problems.raise();
  }

  #checkOrder(stage: Stage): void {
    for (const [instruction, origins] of stage.origins) {
      const later = origins.find((origin) => origin?.kind === "stage" && origin.index >= stage.index);
      if (later?.kind !== "stage") continue;
      const from = (this.#stages[later.index] as Stage).name;
      const reason =
        instruction.name === "COPY"
          ? `cannot copy from stage ${JSON.stringify(from)}, it needs to be defined before current stage ${JSON.stringify(stage.name)}`
          : `cannot mount from stage ${JSON.stringify(from)}, stage needs to be defined before current command`;
      this.#problems.add(instruction.range, reason, "move it above this stage");
    }
  }
}

function originsOf({ base, origins }: Stage): readonly Origin[] {
  return [base, ...[...origins.values()].flat().filter((origin) => origin !== undefined)];
}
