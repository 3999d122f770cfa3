import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Contender } from "../contender.ts";
import { installed, program } from "./program.ts";

/** podman with stores of its own. */
export function podman(oci: "runc" | "crun", directory: string, tar: string): Contender {
  const name = `podman+${oci}`;
  if (!installed("podman")) return { name, absent: "podman is not installed" };
  if (!installed(oci)) return { name, absent: `${oci} is not installed` };
  const home = join(directory, `podman-${oci}`);
  mkdirSync(home);
  const configuration = join(home, "containers.conf");
  // Debian's default ulimits need CAP_SYS_RESOURCE.
  writeFileSync(
    configuration,
    '[containers]\ndefault_ulimits = ["nofile=1024:1024","nproc=1000:1000"]\n[engine]\nevents_logger = "file"\ncgroup_manager = "cgroupfs"\n',
  );
  const env = { ...process.env, CONTAINERS_CONF: configuration };
  const global = [
    "--root",
    join(home, "root"),
    "--runroot",
    join(home, "run"),
    "--tmpdir",
    join(home, "tmp"),
    "--storage-driver",
    "overlay",
    "--runtime",
    oci,
  ];
  return {
    name,
    prepare: () => program("podman", [...global, "import", "--quiet", tar, "localhost/bench"], { env }),
    run: () => program("podman", [...global, "run", "--rm", "--network", "none", "localhost/bench", "/bin/true"], { env }),
    dispose: () => program("podman", [...global, "rm", "--all", "--force"], { env }),
  };
}
