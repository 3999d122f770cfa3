// `npm test`: sets everything up, then runs every check there is. `pnpm ready` is the second half alone.
import { report, setup } from "./setup/setup.mjs";

await report(async () => {
  await setup({ forTests: true });
  await import("./ready.mjs");
});
