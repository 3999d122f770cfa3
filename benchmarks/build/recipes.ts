import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What is built: a context with a Dockerfile, on an image called `localhost/bench`. */
export interface Recipe {
  readonly title: string;
  readonly files: number;
  readonly dockerfile: (round: number) => string;
  /** What has to be forgotten before each build, or else changed. */
  readonly before: "forget" | "change" | "nothing";
}

const tenSteps = (last: string) => `FROM localhost/bench
ENV KITCHEN=open
WORKDIR /work
COPY src /work/src
RUN ls -R /work/src > /work/list
RUN echo one > /work/one
RUN echo two > /work/two
RUN cat /work/one /work/two > /work/three
LABEL course=main
RUN echo ${last} > /work/last
`;

const copy = "FROM localhost/bench\nCOPY src /src\n";

const stages = ["a", "b", "c", "d"];
const parallel = [
  ...stages.map((name) => `FROM localhost/bench AS ${name}\nRUN sleep 1 && echo ${name} > /made-${name}`),
  "FROM scratch",
  ...stages.map((name) => `COPY --from=${name} /made-${name} /`),
  "",
].join("\n");

export const recipes = {
  cold: { title: "ten steps, 5,000 files: nothing is known", files: 5_000, dockerfile: () => tenSteps("same"), before: "forget" },
  cached: { title: "ten steps, 5,000 files: all is known", files: 5_000, dockerfile: () => tenSteps("same"), before: "nothing" },
  last: {
    title: "ten steps, 5,000 files: the last has changed",
    files: 5_000,
    dockerfile: (round) => tenSteps(`${round}`),
    before: "change",
  },
  "copy-5000": { title: "COPY of 5,000 files", files: 5_000, dockerfile: () => copy, before: "forget" },
  "copy-50000": { title: "COPY of 50,000 files", files: 50_000, dockerfile: () => copy, before: "forget" },
  stages: { title: "four stages of one second each, at once", files: 0, dockerfile: () => parallel, before: "forget" },
} as const satisfies Readonly<Record<string, Recipe>>;

/** Small files, 0.1 to 3 kB, 100 in a directory. */
export function makeContext(folder: string, { files, dockerfile }: Recipe): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (let directory = 0; directory < files / 100; directory += 1) {
    const path = join(folder, "src", `d${directory % 20}`, `s${directory}`);
    mkdirSync(path, { recursive: true });
    for (let file = 0; file < 100; file += 1)
      writeFileSync(join(path, `f${file}`), `${directory}/${file}\n`.repeat(1 + ((directory + file) % 40) * 8));
  }
  writeFileSync(join(folder, "Dockerfile"), dockerfile(0));
}
