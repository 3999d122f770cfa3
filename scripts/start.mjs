// `npm start`: sets everything up, then runs the embedded image; `npm start -- ARGS` is `ramekin ARGS`.
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { join } from "node:path";
import { environment, pinnedNode, repository } from "./setup/run.mjs";
import { report, setup } from "./setup/setup.mjs";

await report(async () => {
  await setup();
  const given = process.argv.slice(2);
  // The greeting names commands to try: as they are typed here. At a terminal it has colours.
  const hello = ["run", "--rm", ...(process.stdout.isTTY ? ["-t"] : []), "-e", "RAMEKIN_COMMAND=npm start --", "ramekin/hello"];
  const args = given.length > 0 ? given : hello;
  // Our own signals reach the command through the terminal's process group; it decides when to end.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"]) process.on(signal, () => {});
  const child = spawn(pinnedNode(), [join(repository, "packages", "cli", "dist", "main.cjs"), ...args], {
    stdio: "inherit",
    env: environment(),
    cwd: process.env.INIT_CWD ?? process.cwd(),
  });
  process.exitCode = await new Promise((resolve) => {
    child.on("close", (code, signal) => resolve(code ?? 128 + (constants.signals[signal] ?? 0)));
  });
});
