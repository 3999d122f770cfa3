import { readdirSync } from "node:fs";
import { join } from "node:path";

/** One Dockerfile of the folder, and how it is built. */
export interface BuildCase {
  readonly name: string;
  /** That all builders understand. `SERVER=SERVER` in them has the address of the test's file server, `TOKEN` is a file with a secret. */
  readonly flags?: readonly string[];
  readonly ignore?: string;
  readonly ignoreOfFile?: string;
  /** What is changed, one after the other, to see which steps are done again. */
  readonly changes?: readonly Change[];
}

export interface Change {
  readonly what: string;
  /** In the context. */
  readonly script?: string;
  readonly flags?: readonly string[];
}

export const dockerfiles = join(import.meta.dirname, "dockerfiles");

const secret = ["--secret", "id=token,src=TOKEN"];
const server = ["--build-arg", "SERVER=SERVER"];
const ignored = "# a comment\n*.txt\n!a1.txt\ndir/*/deep\n**/three\n/strange\n.hidden\n!dir/sub/deep/none\narchive.*\n";

/** Where a Dockerfile alone is not the whole case. */
const more: Readonly<Record<string, Omit<BuildCase, "name">>> = {
  "stages-target": { flags: ["--target", "two"] },
  "stages-target-number": { flags: ["--target", "0"] },
  "stages-arg-in-from": { flags: ["--build-arg", "KIND=b"] },
  "arg-given": { flags: ["--build-arg", "FIRST=1 st", "--build-arg", "SECOND=", "--label", "flag=yes", "--label", "first=flag"] },
  "arg-proxy": { flags: ["--build-arg", "HTTP_PROXY=http://proxy.invalid", "--build-arg", "no_proxy=localhost"] },
  "add-url": { flags: server },
  "add-url-flags": { flags: server },
  "add-url-checksum-wrong": { flags: server },
  "add-url-missing": { flags: server },
  "copy-ignored": { ignore: ignored },
  "copy-ignored-named": { ignore: "a1.txt\n" },
  "copy-ignored-by-file": { ignore: "dir\n", ignoreOfFile: "*.sh\n!script.sh\n" },
  "copy-itself": { ignore: "Dockerfile\n.dockerignore\n" },
  "mount-secret": { flags: secret },
  "mount-secret-env": { flags: secret },
  "cache-layers": {
    changes: [
      { what: "nothing" },
      { what: "the time of a file", script: "touch -d 2021-01-01 hello.txt dir/one" },
      { what: "a file that is not copied", script: "echo x >> a1.txt" },
      { what: "an argument that a later step sees", flags: ["--build-arg", "LATE=2"] },
      { what: "an argument that an earlier step sees", flags: ["--build-arg", "EARLY=2"] },
      { what: "a predefined argument", flags: ["--build-arg", "HTTPS_PROXY=http://proxy.invalid"] },
      { what: "the content of a file in a folder", script: "echo other > dir/sub/three" },
      { what: "a new file in a folder", script: "echo new > dir/new" },
      { what: "the mode of a file", script: "chmod 600 hello.txt" },
      { what: "the content of a file", script: "echo bye > hello.txt" },
      { what: "a label", script: "sed -i s/label=1/label=2/ Dockerfile" },
      { what: "a comment and blank lines", script: "sed -i '2s/^/# a comment\\n\\n/' Dockerfile" },
      { what: "the words of a step in the middle", script: "sed -i 's/echo $LATE/echo  $LATE/' Dockerfile" },
    ],
  },
  "cache-stages": {
    changes: [
      { what: "nothing" },
      { what: "a file of one stage", script: "echo zz > b1.txt" },
      { what: "a file of one stage, without a change of what is copied from it", script: "echo z9 > a1.txt" },
    ],
  },
};

export const cases: readonly BuildCase[] = readdirSync(dockerfiles)
  .sort()
  .map((file) => file.replace(/\.Dockerfile$/, ""))
  .map((name) => ({ name, ...more[name] }));

const stray = Object.keys(more).filter((name) => !cases.some((known) => known.name === name));
if (stray.length > 0) throw new Error(`no Dockerfile of these cases: ${stray.join(", ")}`);
