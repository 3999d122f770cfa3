import { chmod, cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type DistributionOptions, distributionRegistry } from "../../src/index.ts";

/** A home and an /etc of their own: nothing of the machine's configuration reaches a client made here. */
export interface Machine extends AsyncDisposable {
  readonly folder: string;
  readonly etc: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Below the folder: `home/.docker/config.json`, `etc/docker/certs.d/…`. */
  write(path: string, content: string | object, mode?: number): Promise<void>;
  copy(from: string, path: string): Promise<void>;
  client(options?: DistributionOptions & { readonly also?: Readonly<Record<string, string>> }): ReturnType<typeof distributionRegistry>;
  /** What clients have warned of. */
  readonly warnings: readonly string[];
}

export async function machine(): Promise<Machine> {
  const folder = await mkdtemp(join(tmpdir(), "ramekin-machine-"));
  const etc = join(folder, "etc");
  const warnings: string[] = [];
  const environment = {
    HOME: join(folder, "home"),
    XDG_RUNTIME_DIR: join(folder, "run"),
    PATH: `${join(folder, "bin")}:${process.env["PATH"]}`,
  };
  const place = async (path: string) => {
    const target = join(folder, path);
    await mkdir(dirname(target), { recursive: true });
    return target;
  };
  return {
    folder,
    etc,
    environment,
    warnings,
    async write(path, content, mode = 0o644) {
      const target = await place(path);
      await writeFile(target, typeof content === "string" ? content : JSON.stringify(content));
      await chmod(target, mode);
    },
    copy: async (from, path) => cp(from, await place(path)),
    client: ({ also = {}, ...options } = {}) =>
      distributionRegistry({
        environment: { ...environment, ...also },
        etc,
        retry: { delay: 1 },
        idleTimeout: 5000,
        warn: (message) => warnings.push(message),
        ...options,
      }),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}
