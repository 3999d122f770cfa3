// Builds the image ramekin/hello into packages/ramekin/hello: an OCI layout with one program in it, the same bytes from the same program.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { gzipSync } from "node:zlib";
import { cargoEnvironment } from "./native-environment.mjs";
import { repository, run } from "./setup/run.mjs";

const output = join(repository, "packages", "ramekin", "hello");
const { version } = JSON.parse(readFileSync(join(repository, "packages", "ramekin", "package.json"), "utf8"));
const architecture = process.arch === "x64" ? "amd64" : process.arch;

/** The day this image last changed in earnest: a clock would make other bytes each time. */
const created = "2026-11-23T00:00:00Z";
const reference = "docker.io/ramekin/hello:latest";

async function compile() {
  const { triple, targetDirectory, env } = cargoEnvironment;
  const { code } = await run("cargo", ["build", ...cargoEnvironment.arguments, "--package", "ramekin-hello"], { env });
  if (code !== 0) throw new Error(`cargo build --package ramekin-hello failed with status ${code}`);
  return readFileSync(join(targetDirectory, triple, "release", "ramekin-hello"));
}

/** One entry of a ustar archive, owned by root, from the epoch. */
function tarEntry(name, mode, content) {
  const header = Buffer.alloc(512);
  const octal = (value, at, length) => header.write(`${value.toString(8).padStart(length - 1, "0")}\0`, at, "ascii");
  header.write(name, 0, "utf8");
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(content.length, 124, 12);
  octal(0, 136, 12);
  header.write("        0", 148, "ascii"); // the checksum counts as spaces; type 0 is a file
  header.write("ustar\x0000", 257, "ascii");
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "ascii");
  return Buffer.concat([header, content, Buffer.alloc(-content.length & 511)]);
}

function gzip(bytes) {
  const compressed = gzipSync(bytes, { level: 9 });
  compressed[9] = 255; // the operating system: unknown, wherever it is made
  return compressed;
}

function layout(program) {
  const tar = Buffer.concat([tarEntry("hello", 0o755, program), Buffer.alloc(1024)]);
  const files = new Map();
  const digestOf = (bytes) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  const blob = (mediaType, content, more = {}) => {
    const bytes = Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content));
    const digest = digestOf(bytes);
    files.set(join("blobs", "sha256", digest.slice("sha256:".length)), bytes);
    return { mediaType, digest, size: bytes.length, ...more };
  };

  const layer = blob("application/vnd.oci.image.layer.v1.tar+gzip", gzip(tar));
  const config = blob("application/vnd.oci.image.config.v1+json", {
    created,
    architecture,
    os: "linux",
    config: {
      Env: ["PATH=/"],
      Cmd: ["/hello"],
      WorkingDir: "/",
      Labels: {
        "org.opencontainers.image.title": "ramekin/hello",
        "org.opencontainers.image.description": "Greets, and shows the container it is in",
        "org.opencontainers.image.version": version,
        "org.opencontainers.image.licenses": "Apache-2.0",
      },
    },
    rootfs: { type: "layers", diff_ids: [digestOf(tar)] },
    history: [{ created, created_by: "scripts/build-hello.mjs", comment: "the program /hello, static" }],
  });
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  const manifest = blob(
    mediaType,
    { schemaVersion: 2, mediaType, config, layers: [layer] },
    { platform: { architecture, os: "linux" }, annotations: { "org.opencontainers.image.ref.name": reference } },
  );
  files.set("oci-layout", Buffer.from(JSON.stringify({ imageLayoutVersion: "1.0.0" })));
  files.set(
    "index.json",
    Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests: [manifest] })),
  );
  return { files, digest: manifest.digest };
}

/** Beside it first: whoever reads the old one meanwhile reads all of it. */
function install(files) {
  const fresh = `${output}.${process.pid}`;
  for (const [name, bytes] of files) {
    mkdirSync(join(fresh, name, ".."), { recursive: true });
    writeFileSync(join(fresh, name), bytes);
  }
  rmSync(output, { recursive: true, force: true });
  renameSync(fresh, output);
}

const { files, digest } = layout(await compile());
const index = join(output, "index.json");
if (!existsSync(index) || !readFileSync(index).equals(files.get("index.json"))) install(files);
console.log(`build-hello: ${reference} is ${digest}, in ${relative(process.cwd(), output)}`);
