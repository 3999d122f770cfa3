import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const repository = join(import.meta.dirname, "../..");
const short = (name: string) => name.replace("@ramekin/", "");

/** The table under "Packages" of ARCHITECTURE.md: package to those that its sources may import. */
function allowed(): Map<string, string[]> {
  const text = readFileSync(join(repository, "ARCHITECTURE.md"), "utf8");
  const section = text.slice(text.indexOf("\n## Packages\n"), text.indexOf("\n## The engine\n"));
  const rows = [...section.matchAll(/^\| (`?)([a-z]+)\1 +\| .+? +\| (.*?) *\|$/gm)].filter(([, , name]) => name !== "package");
  return new Map(rows.map(([, , name = "", imports = ""]) => [name, imports.split(";")[0]?.split(", ").filter(Boolean) ?? []]));
}

const table = allowed();
const namesIn = (folder: string) =>
  readdirSync(join(repository, folder)).filter((name) => existsSync(join(repository, folder, name, "src")));

function importsOf(folder: string): string[] {
  const files = readdirSync(join(repository, folder, "src"), { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
  expect(files.length, folder).toBeGreaterThan(0);
  const texts = files.map((name) => readFileSync(join(repository, folder, "src", name), "utf8"));
  const found = texts.flatMap((text) => [...text.matchAll(/(?:from|import|import\()\s*"(@ramekin\/[a-z-]+|ramekin)["/]/g)]);
  return [...new Set(found.map(([, name = ""]) => short(name)))].sort();
}

test("the table names every package, and no other", () => {
  expect([...table.keys()].sort()).toEqual([...namesIn("packages"), "plugins"].sort());
});

test.each(namesIn("packages"))("%s imports what the table says, no more and no less", (name) => {
  const plugins = new Set(namesIn("plugins"));
  const imports = importsOf(join("packages", name)).map((each) => (plugins.has(each) ? "plugins" : each));
  expect([...new Set(imports)].sort()).toEqual([...(table.get(name) ?? [])].sort());
});

test.each(namesIn("plugins"))("%s imports no other plugin and no engine", (name) => {
  expect(importsOf(join("plugins", name)).filter((each) => !table.get("plugins")?.includes(each))).toEqual([]);
});

test("every package has its tag for turbo boundaries", () => {
  const { boundaries } = JSON.parse(readFileSync(join(repository, "turbo.json"), "utf8"));
  for (const folder of ["packages", "plugins"]) {
    for (const name of namesIn(folder)) {
      const { tags } = JSON.parse(readFileSync(join(repository, folder, name, "turbo.json"), "utf8"));
      expect(tags, `${folder}/${name}`).toHaveLength(1);
      expect(Object.keys(boundaries.tags), `${folder}/${name}`).toContain(tags[0]);
    }
  }
});
