import type { InspectManifestOptions } from "@ramekin/engine";
import { mediaTypes } from "@ramekin/oci";
import { describe, expect, test } from "vitest";
import { indentJSON } from "../src/format/indent-json.ts";
import { digest } from "./samples.ts";
import { ramekin } from "./world.ts";

describe("indentJSON", () => {
  test.each([
    ['{"a":[],"b":{},"c":[1,"x"]}', '{\n  "a": [],\n  "b": {},\n  "c": [\n    1,\n    "x"\n  ]\n}'],
    // What a parser would change: order, size and spelling of numbers, escapes, fields that stand twice.
    [
      ' { "10" : 1.0e+2 , "9":12345678901234567890,\n"\\u0041":"\\/","9":null } ',
      '{\n  "10": 1.0e+2,\n  "9": 12345678901234567890,\n  "\\u0041": "\\/",\n  "9": null\n}',
    ],
    ['["{\\"[,:\\\\","]"]', '[\n  "{\\"[,:\\\\",\n  "]"\n]'],
    ["true", "true"],
    ["[[],[{}]]", "[\n  [],\n  [\n    {}\n  ]\n]"],
  ])("%s", (text, expected) => {
    expect(indentJSON(text, "  ")).toBe(expected);
  });

  test("is quick with what a hostile registry may send", () => {
    expect(indentJSON(`[${'"\\\\",'.repeat(500_000)}0]`, "").length).toBeGreaterThan(500_000);
  });
});

const document = (text: string, mediaType: string = mediaTypes.manifest) => ({
  reference: "localhost:5000/app:1",
  descriptor: { mediaType, digest: digest("b"), size: text.length },
  bytes: new TextEncoder().encode(text),
});

describe("ramekin manifest", () => {
  test("[manifest inspect] [manifest inspect --verbose] [manifest inspect --insecure] what the engine is asked, and how it is shown", async () => {
    const asked: unknown[] = [];
    const engine = {
      async inspectManifest(reference: string, { list, members, access }: InspectManifestOptions = {}) {
        asked.push([reference, list, members, access?.verify]);
        if (list !== undefined) return document('{"one":1}');
        return { ...document('{"manifests":[]}', mediaTypes.index), ...(members && { members: [document('{"one":1}', "application/x")] }) };
      },
    };
    const inspect = async (...argv: string[]) => (await ramekin(["manifest", "inspect", ...argv], { engine })).stdout;
    expect(await inspect("app")).toBe('{\n   "manifests": []\n}\n');
    expect(await inspect("--insecure", "list", "app")).toBe('{\n\t"one": 1\n}\n');
    const [shown] = JSON.parse(await inspect("-v", "app"));
    expect(shown).toEqual({
      Ref: "localhost:5000/app:1",
      Descriptor: document('{"one":1}', "application/x").descriptor,
      Raw: btoa('{"one":1}'),
    });
    expect(JSON.parse(await inspect("-v", "list", "app"))).toMatchObject({ OCIManifest: { one: 1 } });
    expect(asked).toEqual([
      ["app", undefined, false, undefined],
      ["app", "list", false, false],
      ["app", undefined, true, undefined],
      ["app", "list", true, undefined],
    ]);
  });

  test("[manifest annotate --os-features] separated by commas, given twice", async () => {
    const asked: unknown[] = [];
    const engine = { annotateManifest: async (...rest: unknown[]) => void asked.push(rest) as never };
    const { status, stdout } = await ramekin(["manifest", "annotate", "--os-features", "a,b", "--os-features", "c", "list", "app"], {
      engine,
    });
    expect({ status, stdout }).toEqual({ status: 0, stdout: "" });
    expect(asked).toEqual([["list", "app", { osFeatures: ["a", "b", "c"] }]]);
  });
});
