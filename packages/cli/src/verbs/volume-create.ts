import { defineVerb } from "../verb.ts";

const swarm = { reason: "only volumes of a swarm's cluster have it" };

export default defineVerb({
  name: "volume create",
  group: "volume",
  summary: "Create a volume",
  description:
    "One of that name that is there already stays as it is. Options are those of the driver local: type, device and o, as for mount(8).",
  arguments: [{ name: "VOLUME", summary: "Its name; a random one when absent", optional: true }],
  flags: {
    driver: { type: "string", short: "d", default: "local", summary: "Specify volume driver name" },
    label: { type: "list", summary: "Set metadata for a volume" },
    name: { type: "string", summary: "Its name, as the argument" },
    opt: { type: "list", short: "o", summary: "Set driver specific options" },
  },
  refused: {
    availability: swarm,
    group: swarm,
    "limit-bytes": swarm,
    "required-bytes": swarm,
    scope: swarm,
    secret: swarm,
    sharing: swarm,
    "topology-preferred": swarm,
    "topology-required": swarm,
    type: swarm,
  },
  examples: [
    { command: "ramekin volume create pantry", summary: "A directory that outlives containers" },
    { command: "ramekin volume create -o type=tmpfs -o device=tmpfs -o o=size=64m scratch", summary: "One in memory" },
  ],
  hot: true,
  async run({ flags, arguments: [argument] }, context) {
    const { createVolume } = await import("../volume/create-volume.ts");
    return await createVolume(flags, argument, context);
  },
});
