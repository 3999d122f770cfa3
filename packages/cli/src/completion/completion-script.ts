import { StatusError } from "../argv/status-error.ts";
import { exitStatus } from "../exit-status.ts";
import { bashScript } from "./bash.ts";
import { fishScript } from "./fish.ts";
import { zshScript } from "./zsh.ts";

const shells: Readonly<Record<string, () => Promise<string>>> = { bash: bashScript, fish: fishScript, zsh: zshScript };

/** `ramekin completion`: scripts that know every verb and flag by heart, and ask ramekin only for names. */
export async function completionScript(shell: string): Promise<string> {
  const script = Object.hasOwn(shells, shell) ? shells[shell] : undefined;
  if (script === undefined)
    throw new StatusError(`no completion for the shell ${shell}`, exitStatus.failure, `there is one for ${Object.keys(shells).join(", ")}`);
  return await script();
}
