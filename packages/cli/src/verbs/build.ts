import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "build",
  group: "common",
  summary: "Build an image from a Dockerfile",
  arguments: [
    {
      name: "PATH",
      summary:
        "The build context: a directory, a repository, or the address of an archive or a Dockerfile; - reads one of these from stdin",
      complete: "file",
    },
  ],
  flags: {
    allow: {
      type: "list",
      value: "entitlement",
      summary: "Allow extra privileged entitlement (security.insecure, network.host, device[=name])",
    },
    annotation: { type: "list", summary: "Add annotation to the image ([WHERE:]key=value)" },
    attest: { type: "list", summary: "Attestation parameters: an image has none, so type=...,disabled=true is all that can be asked for" },
    "build-arg": { type: "list", summary: "Set build-time variables" },
    "build-context": {
      type: "list",
      summary: "Additional build contexts (name=path, a repository, docker-image://, oci-layout://, target:)",
    },
    call: {
      type: "string",
      default: "build",
      value: "method",
      summary: 'What to do: build, or "check", "outline", "targets" (with ",format=json" as a document)',
    },
    check: { type: "boolean", summary: 'Shorthand for "--call=check"' },
    "cache-from": { type: "list", summary: "External cache sources (NAME, type=registry,ref=NAME or type=local,src=DIRECTORY)" },
    "cache-to": {
      type: "list",
      summary: "Cache export destinations (type=inline, type=registry,ref=NAME or type=local,dest=DIRECTORY; mode=min|max, mounts=true)",
    },
    file: { type: "string", short: "f", summary: 'Name of the Dockerfile (default: "PATH/Dockerfile")', complete: "file" },
    iidfile: { type: "string", value: "file", summary: "Write the image ID to a file", complete: "file" },
    label: { type: "list", summary: "Set metadata for an image" },
    load: { type: "boolean", summary: "Shorthand for --output=type=docker: the image goes into the store, where it goes anyway" },
    "metadata-file": { type: "string", value: "file", summary: "Write build result metadata to a file", complete: "file" },
    network: {
      type: "string",
      choices: ["default", "host", "none"],
      default: "default",
      summary: "Set the networking mode for the RUN instructions (default is the host's network)",
    },
    "no-cache": { type: "boolean", summary: "Do not use cache when building the image" },
    "no-cache-filter": { type: "list", summary: "Do not cache specified stages" },
    "on-error": {
      type: "string",
      choices: ["shell"],
      summary: "What to do when a step fails: open a shell with the files, mounts and variables that it had",
    },
    output: { type: "list", short: "o", summary: "Output destination (type=image|registry|docker|oci|local|tar, or a directory, or -)" },
    platform: { type: "list", summary: "Set target platforms for build (linux/amd64,linux/arm64): several make one image index" },
    progress: {
      type: "string",
      choices: ["auto", "plain", "quiet", "rawjson", "tty"],
      default: "auto",
      summary: "Set type of progress output",
    },
    provenance: { type: "string", summary: "Shorthand for --attest=type=provenance: false is what there is" },
    pull: { type: "boolean", summary: "Always attempt to pull all referenced images" },
    push: { type: "boolean", summary: "Shorthand for --output=type=registry" },
    quiet: { type: "boolean", short: "q", summary: "Suppress the build output and print image ID on success" },
    "rewrite-timestamp": {
      type: "boolean",
      default: null,
      summary: "Whether files of new layers are no later than SOURCE_DATE_EPOCH; they are when it is set, unless =false",
    },
    sbom: { type: "string", summary: "Shorthand for --attest=type=sbom: false is what there is" },
    secret: { type: "list", summary: "Secret to expose to the build (id=mysecret[,src=/local/secret|,env=VARIABLE])" },
    "source-date-epoch": { type: "string", value: "seconds", summary: "SOURCE_DATE_EPOCH: the date of the image, seconds since 1970" },
    ssh: { type: "list", summary: "SSH agent socket or keys to expose to the build (default|<id>[=<socket>|<key>[,<key>]])" },
    tag: { type: "list", short: "t", summary: "Name of the image (name:tag), once for each name" },
    target: { type: "string", summary: "Set the target build stage to build" },
    timestamp: { type: "string", value: "seconds", summary: "The date of the image, and of every file in its new layers" },
  },
  examples: [
    { command: "ramekin build -t app .", summary: "From the Dockerfile in this directory" },
    { command: "ramekin build -t app --target test --build-arg VERSION=1.2 .", summary: "One stage of it, with an argument" },
  ],
  hot: true,
  async run({ flags, arguments: [path = ""] }, context) {
    const { buildImage } = await import("../build/build-image.ts");
    return await buildImage(this, flags, path, context);
  },
});
