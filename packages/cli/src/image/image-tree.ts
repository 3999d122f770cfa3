import { isRamekinError, type RamekinError } from "@ramekin/core";
import type { Engine, ImageInfo, ImagePlatform } from "@ramekin/engine";
import { familiarReference, formatPlatform, parseReference } from "@ramekin/oci";
import type { Context } from "../context.ts";
import { table } from "../format/table.ts";
import { humanSize, shortId } from "../format/units.ts";

/** A stack of layers, by its topmost one. */
interface Stack {
  readonly chainId: string;
  readonly digest: string;
  readonly size: number;
  /** Images that end with this layer. */
  readonly tops: string[];
  readonly above: Map<string, Stack>;
}

/** `ramekin image tree`: the layers of one image, or of all, those that images share drawn once. */
export async function showImageTree(name: string | undefined, whatRequires: boolean, context: Context): Promise<number> {
  const engine = await context.engine();
  const images = await engine.images();
  const chosen = name === undefined ? undefined : await engine.image(name);
  const root = await stacks(engine, images);
  if (chosen === undefined) {
    for (const line of branches([...root.above.values()], "")) context.print(line);
    return 0;
  }
  const names = chosen.names.map((each) => familiarReference(parseReference(each)));
  context.print(`Image ID: ${shortId(chosen.id)}`);
  context.print(`Tags:     [${names.join(" ")}]`);
  context.print(`Size:     ${humanSize(chosen.size)}`);
  const path = pathTo(root, new Set((await platformsOf(engine, chosen)).flatMap(({ layers }) => layers.map(({ chainId }) => chainId))));
  if (path.length === 0) {
    context.print("No Image Layers");
    return 0;
  }
  context.print("Image Layers");
  const lines = whatRequires
    ? branches([path[0] as Stack], "")
    : path.map((stack, index) => `${index < path.length - 1 ? "├──" : "└──"} ${label(stack)}`);
  for (const line of lines) context.print(line);
  return 0;
}

async function stacks(engine: Engine, images: readonly ImageInfo[]): Promise<Stack> {
  const root: Stack = { chainId: "", digest: "", size: 0, tops: [], above: new Map() };
  for (const image of images) {
    const shown = image.name === undefined ? "<none>:<none>" : familiarReference(parseReference(image.name));
    for (const { available, layers } of await platformsOf(engine, image)) {
      if (!available) continue;
      let at = root;
      for (const { chainId, digest, size } of layers) {
        const next = at.above.get(chainId) ?? { chainId, digest, size, tops: [], above: new Map() };
        at.above.set(chainId, next);
        at = next;
      }
      if (at !== root && !at.tops.includes(shown)) at.tops.push(shown);
    }
  }
  return root;
}

function pathTo(root: Stack, wanted: ReadonlySet<string>): readonly Stack[] {
  const next = [...root.above.values()].find(({ chainId }) => wanted.has(chainId));
  return next ? [next, ...pathTo(next, wanted)] : [];
}

function* branches(stacks: readonly Stack[], indent: string): Generator<string> {
  for (const [index, stack] of stacks.entries()) {
    const last = index === stacks.length - 1;
    yield `${indent}${last ? "└──" : "├──"} ${label(stack)}`;
    yield* branches([...stack.above.values()], `${indent}${last ? "    " : "│   "}`);
  }
}

function label({ chainId, size, tops }: Stack): string {
  return `ID: ${shortId(chainId)} Size: ${humanSize(size)}${tops.length > 0 ? ` Top Layer of: [${tops.join(" ")}]` : ""}`;
}

/** What is no image (an artifact) has no layers to show; what is damaged must not hide the rest. */
async function platformsOf(engine: Engine, { id }: ImageInfo): Promise<readonly ImagePlatform[]> {
  try {
    return await engine.platforms(id);
  } catch (error) {
    if (["UNSUPPORTED", "NOT_FOUND", "DATA_LOSS"].some((code) => isRamekinError(error, code as RamekinError["code"]))) return [];
    throw error;
  }
}

/** `ramekin images --tree`: each image with its platforms. */
export async function treeLines(engine: Engine, images: readonly ImageInfo[]): Promise<string[]> {
  const rows: string[][] = [["IMAGE", "ID", "DISK USAGE", "CONTENT SIZE", "EXTRA"]];
  const row = (first: string, id: string, { size, unpacked }: { size: number; unpacked: number }, used: boolean) =>
    rows.push([first, shortId(id), humanSize(size + unpacked), humanSize(size), used ? "U" : ""]);
  const byId = new Map<string, { readonly names: string[]; readonly image: ImageInfo }>();
  for (const image of images) {
    const entry = byId.get(image.id) ?? { names: [], image };
    if (image.name !== undefined) entry.names.push(familiarReference(parseReference(image.name)));
    byId.set(image.id, entry);
  }
  for (const { names, image } of byId.values()) {
    const platforms = (await platformsOf(engine, image)).filter(({ platform }) => platform !== undefined && platform.os !== "unknown");
    const unpacked = platforms.reduce((sum, each) => sum + each.unpacked, 0);
    const used = platforms.some(({ containers }) => containers.length > 0);
    const [first = "<untagged>", ...others] = names;
    row(first, image.id, { size: image.size, unpacked }, used);
    for (const name of others) rows.push([name, "", "", "", ""]);
    for (const [index, each] of platforms.entries()) {
      const branch = index === platforms.length - 1 ? "└─" : "├─";
      row(
        `${branch} ${formatPlatform(each.platform as NonNullable<typeof each.platform>)}`,
        each.descriptor.digest,
        each,
        each.containers.length > 0,
      );
    }
  }
  return table(rows);
}
