import { expect, test } from "vitest";
import { idsIn, judge, type Proof } from "../parity/judge.ts";
import { page } from "../parity/page.ts";

const proof = (changes: Partial<Proof>): Proof => ({
  features: [{ id: "CTR-1", area: "Containers", feature: "create | start", tier: "P0", goal: "P0" }],
  flags: {
    docker: { version: "28", verbs: { run: { flags: [{ long: "env", arg: "list" }] } } },
    podman_extra: { version: "4", verbs: {} },
  },
  claims: { rows: [], notes: {} },
  declared: { flags: new Map(), aliases: new Map() },
  results: [],
  ...changes,
});
const passed = (name: string) => ({ file: "a.test.ts", name, state: "passed" as const });

test("ids are read from test names", () => {
  expect(idsIn("run > [run --env] [CTR-1] sets [not an id]")).toEqual(["run --env", "CTR-1"]);
  expect(idsIn("[container ls --all]")).toEqual(["container ls --all"]);
});

test("a claimed row without a passing test is a problem", () => {
  expect(judge(proof({ claims: { rows: ["CTR-1"], notes: {} } })).problems).toEqual([
    "CTR-1 is claimed, but no passing test carries its id",
  ]);
  expect(judge(proof({ claims: { rows: ["CTR-1"], notes: {} }, results: [passed("[CTR-1] x")] })).problems).toEqual([]);
});

test("a declared flag without a passing test is a problem, and so is one that also fails", () => {
  const declared = { flags: new Map([["run", ["env"]]]), aliases: new Map() };
  expect(judge(proof({ declared })).problems).toHaveLength(1);
  expect(
    judge(proof({ declared, results: [passed("[run --env] a"), { ...passed("[run --env] b"), state: "failed" }] })).problems,
  ).toHaveLength(1);
  expect(judge(proof({ declared, results: [passed("[run --env] a")] })).problems).toEqual([]);
});

test("a verb's other names are proven by its first one", () => {
  const flags = {
    docker: { version: "28", verbs: { "image ls": { flags: [{ long: "quiet" }] } } },
    podman_extra: { version: "4", verbs: {} },
  };
  const declared = { flags: new Map([["images", ["quiet"]]]), aliases: new Map([["image ls", "images"]]) };
  expect(judge(proof({ flags, declared })).problems).toHaveLength(2);
  const verdict = judge(proof({ flags, declared, results: [passed("[images --quiet] x")] }));
  expect(verdict.problems).toEqual([]);
  expect(verdict.flags.map(({ id, supported, passed: count }) => [id, supported, count])).toEqual([
    ["image ls --quiet", true, 1],
    ["images --quiet", true, 1],
  ]);
});

test("an id or a claim that does not exist is a problem", () => {
  expect(judge(proof({ results: [passed("[CTR-99] x")] })).problems).toEqual(["a test carries the id CTR-99, which does not exist"]);
  expect(judge(proof({ claims: { rows: ["CTR-99"], notes: {} } })).problems).toEqual(["claims.json claims CTR-99, which does not exist"]);
});

test("the page shows what is proven, and escapes table cells", () => {
  const text = page(
    judge(
      proof({
        declared: { flags: new Map([["run", ["env"]]]), aliases: new Map([["container run", "run"]]) },
        results: [passed("[run --env] a")],
      }),
    ),
  );
  expect(text).toContain("| `run --env` | docker, list | ✓ | passed |");
  expect(text).toContain("create \\| start");
});
