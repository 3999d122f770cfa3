import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { type BuildBase, type Platform, RamekinError } from "@ramekin/core";
import type { Context } from "./context.ts";
import { isRemote, type OpenedContext, openDirectory, openRemoteContext, openStream, readFrom } from "./open-context.ts";
import type { ReadableBuild } from "./read-dockerfile.ts";
import { told, type Workbench } from "./workbench.ts";

type Asked = Pick<ReadableBuild, "context" | "archive" | "contexts" | "file" | "text" | "pull">;

/** A named context is files, or an image. */
export type NamedContext = { readonly context: Context } | { readonly image: BuildBase };

/** Where a build gets files from besides its stages; each is opened once, when it is first needed. */
export class Contexts implements AsyncDisposable {
  readonly #bench: Workbench;
  readonly #options: Asked;
  readonly #path: string | undefined;
  readonly #named = new Map<string, Promise<NamedContext>>();
  readonly #opened: OpenedContext[] = [];
  #main: Promise<OpenedContext> | undefined;

  /** `path`: of a Dockerfile of the caller's, beside which a .dockerignore may lie. */
  constructor(bench: Workbench, options: Asked, path: string | undefined) {
    this.#bench = bench;
    this.#options = options;
    this.#path = path;
  }

  /** Undefined when the build has none. */
  async main(): Promise<Context | undefined> {
    return (await this.#openMain()).context;
  }

  /** The Dockerfile's text. */
  async dockerfile(): Promise<string> {
    const { text, file, context, archive } = this.#options;
    if (text !== undefined) return text;
    if (archive === undefined && (context === undefined || !isRemote(context))) return readDockerfile(this.#path);
    const main = await this.#openMain();
    if (main.text !== undefined) {
      if (file !== undefined)
        throw new RamekinError("INVALID_ARGUMENT", `ambiguous Dockerfile source: both the build context and ${file} are Dockerfiles`);
      return main.text;
    }
    return readFrom(main.context as Context, file ?? "Dockerfile");
  }

  /** `target:` is not among them: that is a stage of the same file. */
  get names(): ReadonlySet<string> {
    return new Set(Object.entries(this.#options.contexts ?? {}).flatMap(([name, what]) => (what.startsWith("target:") ? [] : [name])));
  }

  /** Names that stand for stages. */
  get stages(): ReadonlyMap<string, string> {
    const stages = Object.entries(this.#options.contexts ?? {}).filter(([, what]) => what.startsWith("target:"));
    return new Map(stages.map(([name, what]) => [name, what.slice("target:".length)]));
  }

  named(name: string, platform: Platform): Promise<NamedContext> {
    const what = this.#options.contexts?.[name];
    if (what === undefined) throw new RamekinError("INTERNAL", `there is no context ${name}`);
    const key = /^(?:docker-image|oci-layout):/.test(what) ? `${name} ${platform.os}/${platform.architecture}/${platform.variant}` : name;
    const known = this.#named.get(key) ?? told(this.#bench, `[context ${name}] load from ${what}`, () => this.#openNamed(what, platform));
    this.#named.set(key, known);
    return known;
  }

  async #openNamed(what: string, platform: Platform): Promise<NamedContext> {
    const { session, signal } = this.#bench;
    const image = /^docker-image:\/\/(.+)$/s.exec(what)?.[1];
    if (image !== undefined) return { image: await session.image(image, { platform, pull: this.#options.pull ?? "missing", signal }) };
    const layout = /^oci-layout:\/\/(.+?)(?:@(sha256:[0-9a-f]{64})|:([\w][\w.-]{0,127}))?$/s.exec(what);
    if (layout) {
      const [, path = "", digest, tag] = layout;
      return { image: await session.layoutImage(resolve(path), { reference: digest ?? tag, platform, signal }) };
    }
    const opened = isRemote(what) ? await openRemoteContext(this.#bench, what) : await openDirectory(this.#bench, resolve(what), undefined);
    this.#opened.push(opened);
    const { context } = opened;
    if (context) return { context };
    throw new RamekinError("INVALID_ARGUMENT", `the named context ${what} is neither an archive nor a repository`);
  }

  #openMain(): Promise<OpenedContext> {
    this.#main ??= this.#open();
    return this.#main;
  }

  async #open(): Promise<OpenedContext> {
    const { context, archive } = this.#options;
    const bench = this.#bench;
    const open = () => {
      if (archive) return told(bench, "[internal] load build context", () => openStream(bench, archive));
      if (context === undefined) return { close: async () => {} };
      if (isRemote(context)) return told(bench, `[internal] load ${context}`, () => openRemoteContext(bench, context));
      return told(bench, "[internal] load .dockerignore", () => openDirectory(bench, context, this.#path));
    };
    const opened = await open();
    this.#opened.push(opened);
    return opened;
  }

  /** What was learned is kept, whether the build went well or not. */
  async [Symbol.asyncDispose]() {
    for (const { close } of this.#opened) await close();
  }
}

async function readDockerfile(path: string | undefined): Promise<string> {
  if (path === undefined) throw new RamekinError("INVALID_ARGUMENT", "a build needs a Dockerfile: `dockerfile`, `text` or `context`");
  return readFile(path, "utf8").catch((cause: NodeJS.ErrnoException) => {
    const reason = cause.code === "ENOENT" ? "no such file or directory" : cause.message;
    throw new RamekinError("NOT_FOUND", `failed to read dockerfile: open ${path}: ${reason}`, { cause });
  });
}
