import type { ImageDetails } from "@ramekin/engine";
import { familiarReference, familiarRepository, parseReference } from "@ramekin/oci";

/** In the shape of `docker image inspect`, as far as there is something to say. */
export function describeImage({ id, names, descriptor, createdAt, size, manifest, config, platform }: ImageDetails): object {
  const references = names.map(parseReference);
  return {
    Id: id,
    RepoTags: references.filter(({ tag }) => tag !== undefined).map((reference) => familiarReference(reference)),
    RepoDigests: [...new Set(references.map((reference) => `${familiarRepository(reference)}@${id}`))],
    Comment: lastComment(config),
    Created: createdAt?.toISOString() ?? "",
    Author: config["author"] ?? "",
    Config: withAbsent({ ...(config["config"] as object | null | undefined) }),
    Architecture: platform.architecture,
    ...(platform.variant !== undefined && { Variant: platform.variant }),
    Os: platform.os,
    Size: size,
    RootFS: { Type: config.rootfs.type, Layers: config.rootfs.diff_ids },
    Descriptor: descriptor,
    Manifest: manifest,
  };
}

/** As Docker: the last step's, where the image has none of its own. */
function lastComment(config: ImageDetails["config"]): string {
  const steps = (config["history"] ?? []) as readonly { readonly comment?: string }[];
  return (config["comment"] as string | undefined) || (steps.at(-1)?.comment ?? "");
}

/** To Docker these are fields of a struct: a template may ask for them where the image says nothing. A listing has none of them. */
const absent: Readonly<Record<string, () => unknown>> = {
  ...Object.fromEntries(["ExposedPorts", "Labels", "Volumes"].map((name) => [name, () => nil({})])),
  ...Object.fromEntries(["Cmd", "Entrypoint", "Env", "OnBuild", "Shell"].map((name) => [name, () => nil([])])),
  ...Object.fromEntries(["StopSignal", "User", "WorkingDir"].map((name) => [name, () => ""])),
};

function withAbsent(config: object): object {
  for (const [name, value] of Object.entries(absent)) {
    if (!Object.hasOwn(config, name)) Object.defineProperty(config, name, { value: value(), enumerable: false });
  }
  return config;
}

/** Shown as what is empty, but `null` in JSON, as Go has it. */
const nil = (empty: object) => Object.defineProperty(empty, "toJSON", { value: () => null, enumerable: false });
