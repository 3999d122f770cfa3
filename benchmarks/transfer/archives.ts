import { rmSync } from "node:fs";
import { join } from "node:path";
import { program } from "../start/program.ts";
import { type ImageName, layoutOf } from "./corpus.ts";

/** The one kind of file that all engines read: a docker-archive, made by skopeo, named `bench:latest`. */
export async function archiveOf(name: ImageName, directory: string): Promise<string> {
  const path = join(directory, "image.tar");
  rmSync(path, { force: true });
  await program("skopeo", ["copy", "--quiet", `oci:${layoutOf(name)}:bench`, `docker-archive:${path}:bench:latest`]);
  return path;
}
