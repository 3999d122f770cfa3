import { join } from "node:path";
import { createRamekin } from "ramekin";
import type { Contender } from "../contender.ts";
import { program } from "./program.ts";

type Engine = Awaited<ReturnType<typeof createRamekin>>;

/** What `load` calls an image whose layout names it only by a tag. */
const image = "docker.io/library/bench:latest";

/** The built command, as a person starts it; NODE_EXTRA_CA_CERTS is unset for it: it costs a Node 20 some 75 ms per start. */
export function command(directory: string, layout: string): Contender {
  const main = join(import.meta.dirname, "..", "..", "packages", "cli", "dist", "main.cjs");
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
  const global = ["--root", join(directory, "cli-root"), "--runroot", join(directory, "cli-run")];
  const ramekin = (...args: string[]) => program(process.execPath, [main, ...global, ...args], { env });
  return {
    name: "ramekin",
    async prepare() {
      await ramekin("load", "-i", layout);
    },
    run: () => ramekin("run", "--rm", "--network", "none", image, "/bin/true"),
  };
}

/** The same from a program that holds an engine: create → exit → gone. */
export function inProcess(directory: string, layout: string, isolation: string, name: string): Contender {
  let engine: Engine | undefined;
  return {
    name,
    async prepare() {
      engine = await createRamekin({
        root: join(directory, `root-${isolation}`),
        runRoot: join(directory, `run-${isolation}`),
        drivers: { isolation },
      });
      await engine.load(layout);
    },
    async run() {
      if (!engine) throw new Error("not prepared");
      const container = await engine.run({ image, command: ["/bin/true"], autoRemove: true });
      const { code } = await container.wait();
      if (code !== 0) throw new Error(`true ended with ${code}`);
    },
    async dispose() {
      await engine?.[Symbol.asyncDispose]();
    },
  };
}
