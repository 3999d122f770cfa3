import {
  type BuildOutput,
  type BuiltImage,
  type BuiltPlatform,
  type Descriptor,
  type FilesOutput,
  type ImageForm,
  type ImageOutput,
  type PublishOptions,
  RamekinError,
} from "@ramekin/core";
import { putName, putUnnamed } from "@ramekin/oci";
import { nameFrom } from "../import.ts";
import { changeImages } from "../store/images.ts";
import { type Assembled, assemble } from "./assemble.ts";
import type { Session } from "./session.ts";
import { writeArchive } from "./write-archive.ts";
import { writeFiles } from "./write-files.ts";

/** See `BuildSession.publish`. */
export async function publish(
  session: Session,
  built: readonly BuiltPlatform[],
  outputs: readonly BuildOutput[],
  options: PublishOptions = {},
): Promise<BuiltImage> {
  const { step = (_, work) => work(), signal } = options;
  const names = (options.names ?? []).map((text) => nameFrom(text, "build"));
  let first: BuiltImage | undefined;
  const remember = ({ root, configDigest }: Assembled, given: readonly string[]) => {
    first ??= { digest: root.digest, descriptor: root, names: given, ...(configDigest && { configDigest }) };
  };
  for (const output of outputs) {
    const cancellable = { signal };
    if (isFiles(output)) {
      const where = output.type === "local" ? "exporting to client directory" : "exporting to client tarball";
      await step(where, () => writeFiles(session, built, output, { ...cancellable, date: options.date }));
      continue;
    }
    const given = output.names?.map((text) => nameFrom(text, "build")) ?? names;
    const title = output.type === "image" ? "exporting to image" : `exporting to ${output.type} image format`;
    await step(title, async () => {
      const image = await assemble(session, built, output, { ...cancellable, date: dateFor(output, options), inline: options.inline });
      if (output.type === "image") await nameImage(session, image.root, given, cancellable);
      else await writeArchive(session, image.root, given, output, cancellable);
      remember(image, given);
    });
    if (output.type === "image" && output.push) {
      for (const name of given) await step(`pushing ${name}`, () => pushImage(session, name, output, cancellable));
    }
  }
  // Files have no digest: it is that of the image that they would be.
  if (!first) remember(await assemble(session, built, {}, { signal, date: options.date }), []);
  return first as unknown as BuiltImage;
}

const isFiles = (output: BuildOutput): output is FilesOutput => output.type === "local" || output.type === "tar";

function dateFor({ rewriteTimes }: ImageForm, { date }: PublishOptions) {
  if (!date && rewriteTimes) {
    throw new RamekinError("INVALID_ARGUMENT", "rewrite-timestamp: there is no date to clamp times to", { hint: "set SOURCE_DATE_EPOCH" });
  }
  if (!date || rewriteTimes === undefined) return date;
  if (!rewriteTimes) return { ...date, files: "keep" as const };
  return date.files === "keep" ? { ...date, files: "clamp" as const } : date;
}

async function nameImage({ scope }: Session, root: Descriptor, names: readonly string[], options: PublishOptions): Promise<void> {
  await changeImages(
    scope.paths,
    (index) => (names.length === 0 ? putUnnamed(index, root) : names.reduce((named, name) => putName(named, name, root), index)),
    options,
  );
  for (const name of names) scope.emit("image", "tag", root.digest, { name });
}

async function pushImage({ scope }: Session, name: string, { insecure }: ImageOutput, { signal }: PublishOptions): Promise<void> {
  const { push } = await import("../push.ts");
  await push(scope, name, { signal, ...(insecure && { access: { verify: false } }) });
}
