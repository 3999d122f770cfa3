import { join } from "node:path";

/**
 * For compiled code: never in /tmp, where another user could have made the directory first. Node's own variables for its
 * compile cache hold here too. Undefined when there shall be no cache, or no place is known.
 */
export function cacheDirectory(
  environment: Readonly<Record<string, string | undefined>> = process.env,
  root = process.geteuid?.() === 0,
): string | undefined {
  const { NODE_DISABLE_COMPILE_CACHE: disabled, NODE_COMPILE_CACHE: chosen, XDG_CACHE_HOME: caches, HOME: home } = environment;
  if (disabled) return undefined;
  if (chosen) return join(chosen, "ramekin");
  if (root) return "/var/cache/ramekin";
  if (caches) return join(caches, "ramekin");
  return home ? join(home, ".cache", "ramekin") : undefined;
}
