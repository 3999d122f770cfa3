import { type Cancellable, type Descriptor, type Platform, RamekinError } from "@ramekin/core";
import { refName } from "@ramekin/oci";
import { ingestImage } from "../ingest.ts";
import type { Session } from "./session.ts";

/** Takes one image of an OCI layout into the store, without a name: see `BuildSession.layoutImage`. */
export async function ingestLayout(
  { scope, content, lease }: Session,
  path: string,
  { reference, platform, signal }: Cancellable & { readonly reference?: string | undefined; readonly platform: Platform },
): Promise<Descriptor> {
  await using images = await (await scope.kernel.use("transport", "oci")).source(path, { signal });
  const roots = await images.roots({ signal });
  const fits = (root: Descriptor) => reference === undefined || root.digest === reference || refName(root) === reference;
  const [root, more] = roots.filter(fits);
  const named = roots.map((each) => refName(each) ?? each.digest).join(", ");
  if (!root)
    throw new RamekinError("NOT_FOUND", `the layout ${path} has no image ${reference ?? ""}`.trimEnd(), {
      hint: `it has ${named || "none"}`,
    });
  if (more) throw new RamekinError("INVALID_ARGUMENT", `the layout ${path} has several images`, { hint: `name one: ${named}` });
  await ingestImage(content, images, root, { name: reference ?? root.digest, lease, platform, asked: platform, signal });
  return root;
}
