import type { Result } from "../../support/index.ts";

/** What became of one build. */
export type Attempt =
  | {
      readonly built: true;
      /** The steps that were done, not found in the cache. */
      readonly done: readonly string[];
    }
  | { readonly built: false; readonly said: string };

/** Steps that make files: the others are nothing to find in a cache. */
const makes = (step: string) => /^(?:RUN|COPY|ADD|WORKDIR) /i.test(step);

/** `[b 2/3] RUN x` as `RUN x`; what is no step of a stage that makes files is undefined. */
export function stepOf(name: string): string | undefined {
  const step = /^\[[^\]]*\d+\/\d+\] (.*)$/.exec(name)?.[1];
  return step !== undefined && makes(step) ? step : undefined;
}

/** Of a command whose output `done` can read. */
export function attemptOf({ code, stdout, stderr }: Result, done: (output: string) => readonly string[]): Attempt {
  return code === 0 ? { built: true, done: done(`${stdout}${stderr}`) } : { built: false, said: stderr };
}

/** BuildKit's plain progress: `#4 [b 2/3] RUN x`, later `#4 CACHED` or `#4 DONE 0.1s`. */
export function doneByVertex(output: string): readonly string[] {
  const names = new Map<string, string>();
  const done: string[] = [];
  for (const line of output.split("\n")) {
    const [, number = "", rest = ""] = /^(#\d+) (.*)$/.exec(line) ?? [];
    const step = stepOf(rest);
    if (step !== undefined) names.set(number, step);
    const name = names.get(number);
    if (name !== undefined && /^DONE /.test(rest)) done.push(name);
  }
  return done.sort();
}

/** Of docker's classic builder and of buildah: `STEP 2/3: RUN x` (of several stages `[1/2] STEP 2/3: RUN x`), and then a line that says that the cache is used, or none. */
export function doneByLine(output: string): readonly string[] {
  const parts = output.split(/^(?:\[\d+\/\d+\] )?step \d+\/\d+ ?: /im).slice(1);
  const done = parts.filter((part) => !/using cache/i.test(part)).map((part) => part.split("\n", 1)[0] as string);
  return done.filter(makes).sort();
}
