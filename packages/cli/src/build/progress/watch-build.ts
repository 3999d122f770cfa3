import type { BuildEvent } from "ramekin";
import { UsageError } from "../../argv/status-error.ts";
import type { Context } from "../../context.ts";
import { PlainProgress } from "./plain-progress.ts";
import { rawProgress } from "./raw-progress.ts";
import { TerminalProgress } from "./terminal-progress.ts";
import { warningLines } from "./warning-lines.ts";

/** Shows what happens in a build. Disposal is its end. */
export interface BuildProgress extends Disposable {
  take(event: BuildEvent): void;
  /** Until disposal nothing is shown: the terminal is somebody else's. */
  pause(): Disposable;
}

/**
 * `tty`: BuildKit's look, painted over as it changes; `plain`: lines as BuildKit prints them; `rawjson`: its documents, one a line;
 * `quiet`: nothing. `auto` is one of the first two.
 */
export function watchBuild(
  { stderr, environment, logLevel }: Pick<Context, "stderr" | "environment" | "logLevel">,
  mode: string,
): BuildProgress {
  if (mode === "quiet") return { take() {}, pause: () => ({ [Symbol.dispose]() {} }), [Symbol.dispose]() {} };
  if (mode === "rawjson") return rawProgress(stderr);
  if (mode === "tty" && !stderr.isTTY) throw new UsageError("--progress tty: stderr is no terminal", { hint: "--progress plain" });
  const colour = stderr.isTTY === true && !environment["NO_COLOR"];
  const progress = mode === "plain" || !stderr.isTTY ? new PlainProgress(stderr) : new TerminalProgress(stderr, { colour });
  const warnings: Extract<BuildEvent, { type: "warning" }>[] = [];
  return {
    take(event) {
      if (event.type === "warning") warnings.push(event);
      progress.take(event);
    },
    pause: () => progress.pause(),
    [Symbol.dispose]() {
      progress[Symbol.dispose]();
      for (const line of warningLines(warnings, { whole: logLevel === "debug", colour })) stderr.write(`${line}\n`);
    },
  };
}
