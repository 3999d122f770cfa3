import { join } from "node:path";
import { RamekinError } from "@ramekin/core";
import { type Dockerfile, foreignFrontend, parseDockerfile } from "@ramekin/dockerfile";
import type { BuildOptions } from "./build-options.ts";
import { isRemote } from "./open-context.ts";

/** A build whose Dockerfile is a text or a file; `title`: what errors call it. */
export type ReadableBuild = Omit<BuildOptions, "dockerfile"> & { readonly file?: string; readonly title?: string };

export function readable({ dockerfile, ...options }: BuildOptions): ReadableBuild {
  if (dockerfile === undefined) return options;
  if (typeof dockerfile === "string") return { ...options, file: dockerfile };
  return { ...options, text: dockerfile.toDockerfile(), title: "recipe" };
}

/** Where the Dockerfile lies, if it is a file of the caller's. */
export function dockerfilePath({ context, archive, file }: Pick<ReadableBuild, "context" | "archive" | "file">): string | undefined {
  const local = archive === undefined && context !== undefined && !isRemote(context) ? join(context, "Dockerfile") : undefined;
  return file ?? local;
}

/** UNSUPPORTED when it wants to be read by somebody else. */
export function readDockerfile(content: string, path: string | undefined): Dockerfile {
  const foreign = foreignFrontend(content);
  if (foreign !== undefined) {
    throw new RamekinError("UNSUPPORTED", `the frontend ${foreign} cannot be run: docker/dockerfile is the one that is built in`, {
      hint: "remove the line `# syntax=`",
    });
  }
  return parseDockerfile(content, path ?? "Dockerfile");
}
