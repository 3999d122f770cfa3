import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createRamekin } from "ramekin";
import type { Contender } from "../contender.ts";
import { installed, measured, program } from "../start/program.ts";
import { type ImageName, images, layoutOf } from "./corpus.ts";
import { chosen, type Group, scratch } from "./place.ts";

type Engine = Awaited<ReturnType<typeof createRamekin>>;

/** From layers on this disk to files: nothing is fetched. The fastest possible is the slower one of the decompressor alone and tar alone. */
export async function scenario(only: string | undefined): Promise<readonly Group[]> {
  return chosen(only).map((name) => {
    const directory = scratch();
    const layout = layoutOf(name);
    let loaded: Engine | undefined;
    return {
      title: `unpack: ${images[name]}`,
      contenders: [
        {
          name: "ramekin, in process",
          async prepare() {
            loaded = await createRamekin({ root: join(directory, "root"), runRoot: join(directory, "run") });
            await loaded.load(layout);
          },
          reset: async () => rmSync(join(directory, "root", "storage"), { recursive: true, force: true }),
          async run() {
            await using engine = await createRamekin({ root: join(directory, "root"), runRoot: join(directory, "run") });
            await engine.unpack("bench");
          },
          dispose: async () => loaded?.[Symbol.asyncDispose](),
        },
        umoci(directory, layout, name),
        ...pipelines(directory, layout, name),
      ],
      against: ["umoci", "decompress | tar", "tar alone"],
    };
  });
}

/** An engine of its own over an empty store, each time. */
export function inStore(name: string, directory: string, work: (engine: Engine) => Promise<void>): Contender {
  const root = join(directory, "in-process");
  return {
    name,
    reset: async () => rmSync(root, { recursive: true, force: true }),
    async run() {
      await using engine = await createRamekin({ root, runRoot: `${root}-run` });
      await work(engine);
    },
  };
}

function umoci(directory: string, layout: string, image: ImageName): Contender {
  const to = join(directory, "umoci");
  return {
    name: "umoci",
    ...(!installed("umoci") && { absent: "umoci is not installed" }),
    ...(image === "debian-zstd" && { absent: "umoci 0.4 reads no zstd layers" }),
    reset: async () => rmSync(to, { recursive: true, force: true }),
    run: () => measured("umoci", ["raw", "unpack", "--image", `${layout}:bench`, to]),
  };
}

function pipelines(directory: string, layout: string, name: ImageName): Contender[] {
  const read = (path: string) => JSON.parse(readFileSync(join(layout, path), "utf8"));
  const manifest = read(`blobs/${read("index.json").manifests[0].digest.replace(":", "/")}`);
  const blobs: string[] = manifest.layers.map(({ digest }: { digest: string }) => join(layout, "blobs", digest.replace(":", "/")));
  const decode = name === "debian-zstd" ? "zstd -dc" : "gzip -dc";
  const to = join(directory, "tar");
  const plain = join(directory, "plain");
  const fresh = async () => {
    rmSync(to, { recursive: true, force: true });
    mkdirSync(to);
  };
  const each = (line: (blob: string, index: number) => string) => program("sh", ["-c", blobs.map(line).join(" && ")]);
  return [
    { name: "decompress | tar", reset: fresh, run: () => each((blob) => `${decode} < ${blob} | tar -x -C ${to}`) },
    { name: "decompress alone", run: () => each((blob) => `${decode} < ${blob} > /dev/null`) },
    {
      name: "tar alone",
      async prepare() {
        mkdirSync(plain);
        await each((blob, index) => `${decode} < ${blob} > ${join(plain, String(index))}`);
      },
      reset: fresh,
      run: () => each((_, index) => `tar -x -C ${to} -f ${join(plain, String(index))}`),
    },
  ];
}
