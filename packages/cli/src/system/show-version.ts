import type { Context } from "../context.ts";
import { json } from "../template/functions.ts";
import { version } from "../version.ts";

const architectures: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386" };

/** `ramekin version`. There is no daemon: client and server are one program, and scripts may ask for either. */
export async function showVersion(format: string | undefined, context: Context): Promise<number> {
  const own = { Version: version(), NodeVersion: process.version, Os: process.platform, Arch: architectures[process.arch] ?? process.arch };
  if (format === "json") context.print(json({ Client: own, Server: own }));
  else if (format !== undefined) {
    const { compileTemplate } = await import("../template/render.ts");
    context.print(compileTemplate(format)({ Client: own, Server: own }));
  } else {
    context.print(
      ["Ramekin", ` Version:       ${own.Version}`, ` Node version:  ${own.NodeVersion}`, ` OS/Arch:       ${own.Os}/${own.Arch}`].join(
        "\n",
      ),
    );
  }
  return 0;
}
