// Builds an image that is told in TypeScript, shows its steps, and has a look around where one fails:
//   node build-image.ts DIRECTORY [NAME]
import { isRamekinError } from "@ramekin/core";
import { createRamekin, image } from "ramekin";

const [context = ".", name = "site"] = process.argv.slice(2);

const pages = image
  .from("debian:12")
  .workdir("/pages")
  .copy(".", "./")
  .run("for page in *.md; do sed -E 's|^# (.*)|<h1>\\1</h1>|' $page > $(basename $page .md).html; done");
const site = image.scratch().copy("/pages/*.html", "/srv/", { from: pages }).label({ "org.opencontainers.image.title": name });

await using engine = await createRamekin();
try {
  const { digest } = await engine.build({
    context,
    dockerfile: site, // or the path of a Dockerfile; site.toDockerfile() is the one that says the same
    tags: [name],
    onEvent(event) {
      if (event.type === "begin") console.log(`${event.step} ${event.name}`);
      if (event.type === "output") process.stdout.write(event.bytes);
      if (event.type === "end")
        console.log(`${event.step} ${event.error ?? (event.cached ? "known" : `${Math.round(event.milliseconds)} ms`)}`);
    },
    async onStepError({ name: step, run }) {
      await using shell = await run?.open(["sh", "-c", "pwd; ls -la"]);
      if (!shell) return;
      await shell.start({ attach: true });
      console.log(`${step} left`);
      for await (const bytes of (await shell.attach()).stdout) process.stdout.write(bytes);
    },
  });
  console.log(digest);
} catch (error) {
  if (!isRamekinError(error)) throw error;
  console.error(`${error.code}: ${error.message}${error.hint ? `\n  ${error.hint}` : ""}`);
  process.exitCode = 1;
}
