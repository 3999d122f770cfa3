import { join } from "node:path";
import { createRamekin } from "ramekin";
import type { ContainerEngine } from "./engine.ts";

type Engine = Awaited<ReturnType<typeof createRamekin>>;

const image = "docker.io/library/bench:latest";

/** A program that holds an engine. */
export function inProcess(directory: string, layout: string): ContainerEngine {
  let opened: Engine | undefined;
  const engine = () => {
    if (!opened) throw new Error("not open");
    return opened;
  };
  return {
    name: "ramekin in process",
    async open() {
      opened = await createRamekin({ root: join(directory, "program-root"), runRoot: join(directory, "program-run") });
      await opened.load(layout);
    },
    async close() {
      for (const { id } of await engine().containers({ all: true })) await (await engine().container(id)).remove({ force: true });
      await engine()[Symbol.asyncDispose]();
    },
    async run() {
      const container = await engine().run({ image, command: ["/bin/true"], autoRemove: true });
      const { code } = await container.wait();
      if (code !== 0) throw new Error(`true ended with ${code}`);
    },
    async start(name) {
      await (await engine().create({ image, command: ["/bin/sleep", "100000"], name })).start();
    },
    async exec(name) {
      const process = await (await engine().container(name)).exec(["/bin/true"]);
      const { code } = await process.wait();
      if (code !== 0) throw new Error(`true ended with ${code}`);
    },
    create: (name) => engine().create({ image, command: ["/bin/true"], name }),
    list: () => engine().containers({ all: true }),
    async pid(name) {
      return (await (await engine().container(name)).inspect()).pid ?? 0;
    },
  };
}
