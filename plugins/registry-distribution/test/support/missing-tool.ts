import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Why a test cannot run: the tool is not installed; undefined when it is. */
export function missingTool(tool: string, from: string = tool): string | undefined {
  const found = (process.env["PATH"] ?? "").split(delimiter).some((folder) => existsSync(join(folder, tool)));
  return found ? undefined : `${tool} is not installed (apt-get install ${from})`;
}
