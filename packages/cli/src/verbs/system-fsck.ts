import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "system fsck",
  group: "system",
  summary: "Check every byte and every reference of the store",
  description:
    "Reads all blobs and compares them with their digests; looks whether images have their parts, containers their files and names, and snapshots their parents. The exit status is 0 when all is sound or was repaired, and 1 when something remains. Work under way, and what crashes leave for 'ramekin system prune', is no problem.\n\nWith --repair, a damaged blob is fetched again from where its image came. Only what cannot be had again, because nobody has it any more, is dropped: the names of images that cannot work without it. What a registry may have that cannot be reached now stays, and remains a problem; with --offline, no registry is asked and it is dropped. Containers stay.",
  arguments: [],
  flags: {
    format: { type: "string", summary: "Format output: 'table', 'table TEMPLATE', 'json', or a TEMPLATE in Go's notation" },
    offline: { type: "boolean", summary: "With --repair, ask no registry: drop what is damaged" },
    quiet: { type: "boolean", short: "q", summary: "Only show the IDs of what is wrong and remains so" },
    repair: { type: "boolean", summary: "Put right what can be" },
  },
  examples: [
    { command: "ramekin system fsck", summary: "After a power cut, or when a disk has grown old" },
    { command: "ramekin system fsck --repair", summary: "Fetch again what is damaged" },
    { command: "ramekin system fsck --repair --offline", summary: "Give up what is damaged, for good" },
  ],
  hot: true,
  async run({ flags }, context) {
    const { checkStore } = await import("../system/check-store.ts");
    return await checkStore(flags, context);
  },
});
