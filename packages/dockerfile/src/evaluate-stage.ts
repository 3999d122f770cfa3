import { type ContainerImageConfig, type HistoryEntry, type ImageRunConfig, normalizePlatform } from "@ramekin/oci";
import { type Argument, argument } from "./arguments.ts";
import type { Checks } from "./checks.ts";
import { type Expansion, expand } from "./expand.ts";
import { cleanPath } from "./glob.ts";
import { healthcheckText, list, quotedList, runText } from "./history.ts";
import type { IgnoreMatcher } from "./ignore.ts";
import type { Add, Arg, Command, Copy, Env, InlineFile, Many, Run, Single, StageInstruction } from "./instruction.ts";
import { parseMount } from "./mount.ts";
import { resolveMount } from "./mount-step.ts";
import { resolveDestination, resolvePath } from "./path.ts";
import { parsePort } from "./port.ts";
import { Complaint, type Problems } from "./problem.ts";
import { commandWords, runCommand } from "./run-command.ts";
import { isSecretName } from "./secret-name.ts";
import { isSignal } from "./signal.ts";
import type { Piece, Range } from "./source.ts";
import type { Origin, Stage, StageGraph } from "./stage-graph.ts";
import type { Step, StepMount, TransferStep } from "./step.ts";
import { suggest } from "./suggest.ts";
import { checkMode, checkTransfer } from "./transfer-options.ts";

export interface EvaluatedStage {
  readonly stage: Stage;
  readonly steps: readonly Step[];
  /** The image it becomes, but for its layers: `rootfs` is the base image's. */
  readonly image: ContainerImageConfig;
  /** Variables that instructions see: the image's, and arguments. */
  readonly environment: ReadonlyMap<string, string>;
  /** Arguments declared so far, base stages included, in their order. */
  readonly buildArgs: readonly (readonly [name: string, value: string | undefined])[];
  /** An absolute or relative WORKDIR was set in this file. */
  readonly directorySet: boolean;
  readonly declared: ReadonlyMap<string, Argument>;
  readonly used: ReadonlySet<string>;
  readonly secrets: ReadonlyMap<string, Credential>;
  readonly ssh: ReadonlyMap<string, Credential>;
}

/** A secret or an agent that a RUN asks for. */
export interface Credential {
  readonly required: boolean;
  readonly range: Range;
}

interface StageContext {
  readonly graph: StageGraph;
  readonly stage: Stage;
  readonly problems: Problems;
  /** The stage it begins with. */
  readonly above?: EvaluatedStage;
  /** The image it begins with. */
  readonly image?: ContainerImageConfig;
  readonly ignore?: IgnoreMatcher;
}

export const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const defaultShell: readonly string[] = ["/bin/sh", "-c"];
/** Arguments that say how to scan the build; no variables. */
const silentArguments: readonly string[] = ["BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE"];

type Draft<T> = { -readonly [Field in keyof T]: T[Field] };

/** A stage on its way from its base to what it becomes, one instruction after the other. */
export class StageState {
  readonly #context: StageContext;
  readonly #config: Draft<ImageRunConfig>;
  readonly #history: HistoryEntry[];
  readonly #environment: Map<string, string>;
  readonly #buildArgs: (readonly [string, string | undefined])[];
  readonly #declared: Map<string, Argument>;
  readonly #used: Set<string>;
  readonly #secrets: Map<string, Credential>;
  readonly #ssh: Map<string, Credential>;
  readonly #steps: Step[] = [];
  readonly #last = new Map<string, Range>();
  #author: string | undefined;
  #directorySet: boolean;

  constructor(context: StageContext) {
    this.#context = context;
    const { above, graph, stage } = context;
    const image = above?.image ?? context.image;
    const scratch: ImageRunConfig = { WorkingDir: "/" };
    const { OnBuild: _, ...config } = image?.config ?? (stage.base.kind === "scratch" ? scratch : {});
    const hasPath = config.Env?.some((variable) => variable.startsWith("PATH="));
    this.#config = hasPath ? { ...config } : { ...config, Env: [...(config.Env ?? []), `PATH=${defaultPath}`] };
    this.#history = [...(image?.history ?? [])];
    this.#author = image?.author;
    this.#environment = new Map(above?.environment);
    for (const variable of this.#config.Env ?? []) this.#environment.set(...splitVariable(variable));
    if (this.#config.WorkingDir) this.#config.WorkingDir = resolvePath("/", this.#config.WorkingDir);
    this.#buildArgs = [...(above?.buildArgs ?? [])];
    this.#declared = new Map(above?.declared ?? graph.globals.declared);
    this.#used = new Set([...(above?.used ?? []), ...stage.used]);
    this.#secrets = new Map(above?.secrets);
    this.#ssh = new Map(above?.ssh);
    this.#directorySet = above?.directorySet ?? false;
  }

  evaluate(): EvaluatedStage {
    const { stage, graph, problems, image } = this.#context;
    const replaced = stage.base.kind === "context" && stage.base.name === stage.from.stage;
    for (const [index, instruction] of (replaced ? [] : stage.instructions).entries()) {
      const checks = graph.checks.under(instruction.comments);
      problems.hear(instruction.range, () => this.#apply(instruction, index < stage.triggers, checks));
    }
    return {
      stage,
      steps: this.#steps,
      image: {
        ...platformOf(this.#context),
        ...(this.#author !== undefined && { author: this.#author }),
        config: this.#config,
        rootfs: image?.rootfs ?? this.#context.above?.image.rootfs ?? { type: "layers", diff_ids: [] },
        history: this.#history,
      },
      environment: this.#environment,
      buildArgs: this.#buildArgs,
      directorySet: this.#directorySet,
      declared: this.#declared,
      used: this.#used,
      secrets: this.#secrets,
      ssh: this.#ssh,
    };
  }

  #apply(instruction: StageInstruction, triggered: boolean, checks: Checks): void {
    switch (instruction.name) {
      case "RUN":
        this.#run(instruction, triggered, checks);
        break;
      case "COPY":
      case "ADD":
        this.#transfer(instruction, triggered, checks);
        break;
      case "ENV":
      case "LABEL":
        this.#pairs(instruction, checks);
        break;
      case "ARG":
        this.#arguments(instruction, checks);
        break;
      case "CMD":
      case "ENTRYPOINT":
        this.#command(instruction, checks);
        break;
      case "USER":
      case "STOPSIGNAL":
      case "WORKDIR":
      case "MAINTAINER":
        this.#single(instruction, triggered, checks);
        break;
      case "EXPOSE":
        this.#expose(instruction, checks);
        break;
      case "VOLUME":
        this.#volumes(instruction, checks);
        break;
      case "SHELL":
        this.#config.Shell = instruction.shell;
        this.#record(`SHELL ${list(instruction.shell)}`);
        break;
      case "HEALTHCHECK":
        this.#once(instruction, checks);
        this.#config.Healthcheck = instruction.healthcheck;
        this.#record(`HEALTHCHECK ${healthcheckText(instruction.healthcheck)}`);
        break;
      case "ONBUILD":
        this.#config.OnBuild = [...(this.#config.OnBuild ?? []), instruction.trigger];
    }
  }

  #record(text: string, layer = false): void {
    this.#history.push({ created_by: text, comment: "buildkit.dockerfile.v0", ...(!layer && { empty_layer: true }) });
  }

  /** A value as one word; what it names and nobody has set is a warning about the instruction. */
  #value(piece: Piece, instruction: StageInstruction, checks: Checks): string {
    const { escapeToken } = this.#context.graph.file;
    return this.#expanded(piece, () => expand(piece.text, this.#environment, { escape: escapeToken }), instruction, checks);
  }

  #expanded({ range }: Pick<Piece, "range">, read: () => Expansion, instruction: StageInstruction, checks: Checks): string {
    const expansion = this.#context.problems.hear(instruction.range.start.offset > range.start.offset ? instruction.range : range, read);
    for (const name of expansion?.missing ?? []) this.#warnUndefined(name, instruction, checks);
    return expansion?.text ?? "";
  }

  #warnUndefined(name: string, { range }: StageInstruction, checks: Checks): void {
    if (silentArguments.includes(name) || this.#buildArgs.some(([declared]) => declared === name)) return;
    // Nothing is known of the variables of an image that has not been looked at.
    const { stage, graph } = this.#context;
    if (graph.missing.some((base) => base === rootOf(stage, graph))) return;
    const nearest = suggest(name, this.#environment.keys());
    checks.warn("UndefinedVar", range, `Usage of undefined variable '$${name}'${nearest ? ` (did you mean $${nearest}?)` : ""}`);
  }

  #once({ name, keyword, range }: StageInstruction, checks: Checks): void {
    const before = this.#last.get(name);
    const message = `Multiple ${keyword.text} instructions should not be used in the same stage because only the last one will be used`;
    // The one before is told: it is the one that does nothing.
    if (before) checks.warn("MultipleInstructionsDisallowed", before, message);
    this.#last.set(name, range);
  }

  #pairs(instruction: Env, checks: Checks): void {
    const { name, pairs, legacy, keyword, range } = instruction;
    const all = pairs.map((pair) => [this.#value(pair.name, instruction, checks), this.#value(pair.value, instruction, checks)] as const);
    if (legacy) {
      const message = `"${keyword.text} key=value" should be used instead of legacy "${keyword.text} key value" format`;
      checks.warn("LegacyKeyValueFormat", range, message);
    }
    for (const [key, value] of all) {
      if (name === "LABEL") this.#config.Labels = { ...this.#config.Labels, [key]: value };
      else {
        checkSecret("ENV", key, range, checks);
        this.#environment.set(key, value);
        this.#config.Env = withVariable(this.#config.Env ?? [], key, value);
      }
    }
    this.#record([name, ...all.map(([key, value]) => `${key}=${value}`)].join(" "));
  }

  #arguments(instruction: Arg, checks: Checks): void {
    const { graph } = this.#context;
    const given = graph.options.buildArgs;
    const texts: string[] = [];
    for (const definition of instruction.definitions) {
      const name = definition.name.text;
      checkSecret("ARG", name, instruction.range, checks);
      const inherited = definition.value === undefined && !given?.has(name) ? graph.globals.values.get(name) : undefined;
      const value = given?.get(name) ?? inherited ?? (definition.value && this.#value(definition.value, instruction, checks));
      if (value !== undefined && !silentArguments.includes(name)) this.#environment.set(name, value);
      if (inherited === undefined) this.#declared.set(name, argument(definition, instruction.range, value));
      this.#used.add(name);
      this.#buildArgs.push([name, value]);
      texts.push(value === undefined ? name : `${name}=${value}`);
    }
    this.#record(`ARG ${texts.join(" ")}`);
  }

  #command(instruction: Command, checks: Checks): void {
    const { name, command, keyword, range } = instruction;
    this.#once(instruction, checks);
    if (command.form === "shell" && !this.#config.Shell?.length) {
      const message = `JSON arguments recommended for ${keyword.text} to prevent unintended behavior related to OS signals`;
      checks.warn("JSONArgsRecommended", range, message);
    }
    const words = commandWords(command, this.#shell);
    if (name === "CMD") {
      this.#config.Cmd = words;
      this.#config.ArgsEscaped = true;
    } else {
      if (words.length > 0) this.#config.Entrypoint = words;
      else delete this.#config.Entrypoint;
      // A command of the base image was meant for another entrypoint.
      if (!this.#last.has("CMD")) delete this.#config.Cmd;
    }
    this.#record(`${name} ${quotedList(words)}`);
  }

  get #shell(): readonly string[] {
    return this.#config.Shell?.length ? this.#config.Shell : defaultShell;
  }

  #single(instruction: Single, triggered: boolean, checks: Checks): void {
    const { name } = instruction;
    if (name === "MAINTAINER") {
      this.#author = instruction.value.text;
      this.#record(`MAINTAINER ${this.#author}`);
      return;
    }
    const value = this.#value(instruction.value, instruction, checks);
    if (name === "WORKDIR") {
      this.#workdir(instruction, value, triggered, checks);
      return;
    }
    if (name === "USER") this.#config.User = value;
    else {
      if (!isSignal(value))
        throw new Complaint(`invalid signal: ${value}`, { range: instruction.value.range, hint: "such as SIGTERM or 15" });
      this.#config.StopSignal = value;
    }
    this.#record(`${name} ${value}`);
  }

  #workdir(instruction: Single, value: string, triggered: boolean, checks: Checks): void {
    if (!this.#directorySet && !value.startsWith("/")) {
      const message = `Relative workdir ${JSON.stringify(value)} can have unexpected results if the base image changes`;
      checks.warn("WorkdirRelativePath", instruction.range, message);
    }
    this.#directorySet = true;
    const path = resolvePath(this.#config.WorkingDir ?? "/", value);
    this.#config.WorkingDir = path;
    if (path !== "/") this.#step({ type: "directory", path, user: this.#config.User ?? "", ...this.#common(instruction, triggered) });
    this.#record(`WORKDIR ${path}`, path !== "/");
  }

  #step(step: Step): void {
    this.#steps.push(step);
  }

  /** Before the history entry is written. */
  #common(instruction: StageInstruction, triggered: boolean): Pick<Step, "instruction" | "title" | "triggered" | "history"> {
    let title = instruction.text;
    try {
      const options = { escape: this.#context.graph.file.escapeToken, ...(instruction.name === "RUN" && rawOptions) };
      title = expand(title, this.#environment, options).text;
    } catch (error) {
      if (!(error instanceof Complaint)) throw error; // as it is written, then
    }
    return { instruction, title: title.replace(/^\S+/, (word) => word.toUpperCase()), triggered, history: this.#history.length };
  }

  #expose(instruction: Many, checks: Checks): void {
    const { escapeToken } = this.#context.graph.file;
    // Sorted before they are expanded, as Docker does it: the history shows them so.
    const pieces = instruction.values.toSorted((a, b) => (a.text < b.text ? -1 : 1));
    const ports = pieces.flatMap((piece) => {
      const read = () => expand(piece.text, this.#environment, { escape: escapeToken }).words;
      const words = this.#context.problems.hear(piece.range, read) ?? [];
      return words.flatMap((word) => this.#context.problems.hear(piece.range, () => this.#port(word, instruction, checks)) ?? []);
    });
    this.#config.ExposedPorts = { ...this.#config.ExposedPorts, ...Object.fromEntries(ports.map((port) => [port, {}])) };
    this.#record(`EXPOSE ${list(ports)}`);
  }

  #port(text: string, { range }: Many, checks: Checks): readonly string[] {
    const { ports, oddCase, mapped } = parsePort(text);
    if (oddCase) checks.warn("ExposeProtoCasing", range, `Defined protocol '${text}' in EXPOSE instruction should be lowercase`);
    if (mapped) {
      const message = `EXPOSE instruction should not define an IP address or host-port mapping, found '${text}'`;
      checks.warn("ExposeInvalidFormat", range, message);
    }
    return ports;
  }

  #volumes(instruction: Many, checks: Checks): void {
    const paths = instruction.values.map((piece) => {
      const path = this.#value(piece, instruction, checks);
      if (path === "") throw new Complaint("VOLUME specified can not be an empty string", { range: piece.range });
      return path;
    });
    this.#config.Volumes = { ...this.#config.Volumes, ...Object.fromEntries(paths.map((path) => [path, {}])) };
    this.#record(`VOLUME ${list(paths)}`);
  }

  #transfer(instruction: Copy | Add, triggered: boolean, checks: Checks): void {
    const { name, destination, exclude, link, chown, chmod } = instruction;
    const optional = (piece: Piece | undefined) => (piece ? this.#value(piece, instruction, checks) : "");
    const owner = optional(chown);
    const mode = optional(chmod);
    const checksum = name === "ADD" ? optional(instruction.checksum) : "";
    const sources = instruction.sources.map((piece) => this.#value(piece, instruction, checks));
    const to = this.#value(destination, instruction, checks);
    const files = instruction.files.map((file) => (file.expand ? this.#inlineFile(file, instruction, checks) : file));
    checkTransfer(instruction, sources, owner, checksum);
    checkMode(mode, chmod?.range);
    const [origin] = this.#context.stage.origins.get(instruction) ?? [];
    if (!origin) for (const source of sources) this.#checkIgnored(source, instruction, checks);
    const step: TransferStep = {
      type: name === "COPY" ? "copy" : "add",
      sources,
      files,
      destination: resolveDestination(this.#config.WorkingDir ?? "/", to),
      ...(origin && { origin }),
      ...(owner !== "" && { chown: owner }),
      ...(mode !== "" && { chmod: mode }),
      link,
      parents: name === "COPY" && instruction.parents,
      exclude: exclude.map(({ text }) => text),
      ...(name === "ADD" && instruction.keepGitDir !== undefined && { keepGitDir: instruction.keepGitDir }),
      ...(checksum !== "" && { checksum }),
      ...(name === "ADD" && instruction.unpack !== undefined && { unpack: instruction.unpack }),
      ...this.#common(instruction, triggered),
    };
    this.#step(step);
    const flags = [step.parents && "--parents", owner && `--chown=${owner}`, mode && `--chmod=${mode}`].filter(Boolean);
    const from = [...sources, ...files.map((file) => `<<${file.name}`)];
    this.#record(`${[name, ...flags, ...from, to].join(" ")} # buildkit`, true);
  }

  /** Backslash is the escape in the content of a heredoc, and quotes are characters like others. */
  #inlineFile(file: InlineFile, instruction: StageInstruction, checks: Checks): InlineFile {
    const read = () => expand(file.content, this.#environment, { plainQuotes: true });
    return { ...file, content: this.#expanded(file, read, instruction, checks) };
  }

  #checkIgnored(source: string, { name, range }: Copy | Add, checks: Checks): void {
    const { ignore } = this.#context;
    if (!ignore || ignore.hasExceptions || /^(?:https?:\/\/|git@)/.test(source)) return;
    const path = cleanPath(source);
    const takesAll = ignore.patterns.some(({ text }) => ["*", "**", "**/*"].includes(text));
    if (((path === "." || path === "/") && !takesAll) || !ignore.ignores(path)) return;
    const verb = name === "COPY" ? "Copy" : "Add";
    checks.warn("CopyIgnoredFile", range, `Attempting to ${verb} file ${JSON.stringify(path)} that is excluded by .dockerignore`);
  }

  #run(instruction: Run, triggered: boolean, checks: Checks): void {
    const { network, security, devices } = instruction;
    const { command, script } = runCommand(instruction.command, this.#shell);
    const mounts = instruction.mounts.map((piece, index) => this.#mount(piece, index, instruction, checks));
    this.#step({
      type: "run",
      arguments: command,
      ...(script && { script }),
      mounts: mounts.filter((mount) => mount !== undefined),
      network,
      security,
      devices,
      environment: [...this.#environment].map(([name, value]) => `${name}=${value}`),
      directory: this.#config.WorkingDir ?? "/",
      user: this.#config.User ?? "",
      ...this.#common(instruction, triggered),
    });
    const given = this.#buildArgs.map(([name, value]) => [name, this.#environment.get(name) ?? value ?? ""] as const);
    this.#record(`RUN ${runText(command, given)} # buildkit`, true);
  }

  #mount(piece: Piece, index: number, instruction: Run, checks: Checks): StepMount | undefined {
    const read = () => parseMount(piece.text, (value) => this.#value({ ...piece, text: value }, instruction, checks));
    const mount = this.#context.problems.hear(piece.range, read);
    if (!mount) return undefined;
    const origin = this.#context.stage.origins.get(instruction)?.[index];
    const step = this.#context.problems.hear(piece.range, () => resolveMount(mount, origin, this.#config.WorkingDir ?? "/"));
    const known = { secret: this.#secrets, ssh: this.#ssh }[mount.type as string];
    const { id = "" } = step ?? {};
    if (known && !known.has(id)) known.set(id, { required: mount.required, range: instruction.range });
    return step;
  }
}

/** That of the image it begins with; a stage from scratch is for what is built. */
function platformOf({
  above,
  image,
  stage,
}: StageContext): Pick<ContainerImageConfig, "os" | "architecture" | "variant" | "os.version" | "os.features"> {
  const { os, architecture, variant, "os.version": version, "os.features": features } = above?.image ?? image ?? {};
  if (!os || !architecture) return normalizePlatform(stage.platform);
  const rest = { ...(variant !== undefined && { variant }), ...(version !== undefined && { "os.version": version }) };
  return { os, architecture, ...rest, ...(features !== undefined && { "os.features": features }) };
}

const rawOptions = { rawQuotes: true, rawEscapes: true, keepUnset: true };

/** The image or context at the bottom of a stage. */
function rootOf(stage: Stage, graph: StageGraph): Origin {
  let { base } = stage;
  while (base.kind === "stage") base = (graph.stages[base.index] as Stage).base;
  return base;
}

function splitVariable(variable: string): [name: string, value: string] {
  const at = variable.indexOf("=");
  return at < 0 ? [variable, ""] : [variable.slice(0, at), variable.slice(at + 1)];
}

function withVariable(all: readonly string[], name: string, value: string): readonly string[] {
  const at = all.findIndex((variable) => splitVariable(variable)[0] === name);
  return at < 0 ? [...all, `${name}=${value}`] : all.with(at, `${name}=${value}`);
}

function checkSecret(instruction: "ARG" | "ENV", name: string, range: Range, checks: Checks): void {
  if (!isSecretName(name)) return;
  const message = `Do not use ARG or ENV instructions for sensitive data (${instruction} ${JSON.stringify(name)})`;
  checks.warn("SecretsUsedInArgOrEnv", range, message);
}
