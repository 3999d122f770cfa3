import { attempt, type Scope } from "./scope.ts";

/**
 * After work that has stored something, while it still holds its lease, which keeps what it has stored. What config.toml does
 * not ask for costs nothing, and no failure undoes the work.
 */
export async function collectByPolicy(scope: Scope): Promise<void> {
  await attempt(scope, "collecting images by the policy of config.toml", async () => {
    const policy = await scope.policy();
    if (policy) await (await import("./gc.ts")).gc(scope, policy);
  });
}
