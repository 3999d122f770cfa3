import type { Account, RegistryAccess } from "@ramekin/core";
import { StatusError, UsageError } from "../argv/status-error.ts";
import type { Context } from "../context.ts";
import { exitStatus } from "../exit-status.ts";
import type { FlagValues } from "../verb.ts";
import type { accessFlags } from "./access-flags.ts";

export type AccessFlags = FlagValues<typeof accessFlags> & { readonly insecure?: boolean };

/** Undefined when nothing is said; `where` is what a question for a password shows. */
export async function accessFrom(flags: AccessFlags, where: string, context: Context): Promise<RegistryAccess | undefined> {
  const verify = verifyFrom(flags);
  const { authfile: authFile, "cert-dir": certificates, creds } = flags;
  if (verify === undefined && [authFile, certificates, creds].every((each) => each === undefined)) return undefined;
  return { authFile, certificates, verify, account: creds === undefined ? undefined : await accountFrom(creds, where, context) };
}

function verifyFrom({ insecure = false, "tls-verify": verify }: AccessFlags): boolean | undefined {
  if (insecure && verify) throw new UsageError("conflicting options: --insecure and --tls-verify");
  return insecure ? false : verify;
}

/** Who gives no password is asked for it. */
async function accountFrom(creds: string, where: string, context: Context): Promise<Account> {
  const colon = creds.indexOf(":");
  const username = colon < 0 ? creds : creds.slice(0, colon);
  if (username === "") throw new UsageError(`invalid argument for "--creds" flag: no user name`, { hint: "--creds USER:PASSWORD" });
  if (colon >= 0) return { username, password: creds.slice(colon + 1) };
  if (context.stdin.isTTY !== true) throw new StatusError("--creds has no password", exitStatus.failure, "--creds USER:PASSWORD");
  const { asker } = await import("../terminal/ask.ts");
  using terminal = asker(context);
  return { username, password: await terminal.askHidden(`Password for ${username} at ${where}: `) };
}
