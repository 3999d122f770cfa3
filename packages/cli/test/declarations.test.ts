import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { completionScript } from "../src/completion/completion-script.ts";
import { globalFlags } from "../src/globals.ts";
import { commandPages } from "../src/help/page.ts";
import { verbHelp } from "../src/help/verb-help.ts";
import { loadVerbs, topics, verbEntries } from "../src/verbs/index.ts";

const verbs = await loadVerbs();

describe("the declarations", () => {
  test("stand in the index under their own names, and no name stands there twice", () => {
    expect(verbs.map(({ name }) => name)).toEqual(verbEntries.map(({ paths }) => paths[0]));
    const paths = verbEntries.flatMap(({ paths }) => paths);
    expect(new Set(paths).size).toBe(paths.length);
    const firstWords = paths.filter((path) => path.includes(" ")).map((path) => path.split(" ")[0]);
    expect(new Set(firstWords)).toEqual(new Set(Object.keys(topics)));
  });

  test("are in a file each", () => {
    const files = readdirSync(join(import.meta.dirname, "..", "src", "verbs")).filter((name) => name !== "index.ts");
    expect(files.sort()).toEqual(verbs.map(({ name }) => `${name.replaceAll(" ", "-")}.ts`).sort());
  });

  test.each(verbs.map((verb) => [verb.name, verb] as const))("%s says what it is, and no two of its flags share a letter", (_, verb) => {
    expect(verb.summary).toMatch(/^[A-Z].*[^.]$/);
    expect(verb.examples.length).toBeGreaterThan(0);
    for (const { command } of verb.examples) expect(command).toContain("ramekin");
    const letters = [...Object.values(verb.flags), ...Object.values(verb.refused ?? {})].flatMap(({ short }) => short ?? []);
    expect(new Set(letters).size).toBe(letters.length);
    for (const [name, { summary }] of Object.entries(verb.flags)) {
      expect(name).toMatch(/^[a-z][a-z-]+$/);
      expect(summary).toMatch(/^[A-Z].*[^.]$/);
      expect(Object.keys(verb.refused ?? {})).not.toContain(name);
    }
    expect(
      verbHelp(verb, 80)
        .split("\n")
        .filter((line) => line.length > 84 && !line.includes("ramekin")),
    ).toEqual([]);
  });

  test("say the same as the pages in docs/commands", async () => {
    const folder = join(import.meta.dirname, "..", "..", "..", "docs", "commands");
    const pages = await commandPages();
    expect(readdirSync(folder).sort()).toEqual([...pages.keys()].sort());
    for (const [name, text] of pages)
      expect(readFileSync(join(folder, name), "utf8"), `${name}: run pnpm --filter @ramekin/cli docs`).toBe(text);
  });
});

describe("completion scripts", () => {
  test.each(["bash", "zsh", "fish"])("%s knows every verb and flag", async (shell) => {
    const script = await completionScript(shell);
    for (const { name, flags } of verbs) {
      expect(script).toContain(name.split(" ").at(-1));
      for (const flag of [...Object.keys(flags), ...Object.keys(globalFlags)])
        expect(script).toContain(shell === "fish" ? `-l ${flag}` : `--${flag}`);
    }
  });

  test("other shells are named", async () => {
    await expect(completionScript("csh")).rejects.toThrow("no completion for the shell csh");
  });
});
