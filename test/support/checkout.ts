import { join } from "node:path";
import { succeed } from "./command.ts";

/** Where these sources lie. */
export const checkout = join(import.meta.dirname, "../..");

/**
 * Shows the checkout at `folder` without the directories above it, which may be closed to other users, until disposed of.
 * Read-only: who clears a scratch folder away with a mount still in it must not clear the sources away.
 */
export async function showCheckout(folder: string): Promise<AsyncDisposable> {
  await succeed(["mount", "--bind", "-o", "ro", checkout, folder]);
  return { [Symbol.asyncDispose]: async () => void (await succeed(["umount", folder])) };
}
