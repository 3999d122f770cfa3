import { isRamekinError } from "@ramekin/core";
import type { DriverReport } from "./api.ts";
import type { Scope } from "./scope.ts";

/** See `Engine.doctor`. Nothing is made: a driver that cannot be chosen is exactly what this has to tell. */
export async function doctor(scope: Scope): Promise<readonly DriverReport[]> {
  const reports: DriverReport[] = [];
  for (const kind of scope.kernel.registry.kinds()) {
    const candidates = scope.kernel.registry.of(kind);
    const subjects = new Set(candidates.map(({ provider }) => provider.for));
    const selected = new Set<string>();
    for (const subject of subjects) {
      const chosen = await scope.kernel.choose(kind, subject === undefined ? {} : { for: subject as never }).catch((error: unknown) => {
        if (!isRamekinError(error)) throw error; // the reasons are in the reports
        return undefined;
      });
      if (chosen) selected.add(chosen.name);
    }
    for (const candidate of candidates) {
      const support = await scope.kernel.probe(candidate);
      reports.push({ kind, name: candidate.name, package: candidate.package, selected: selected.has(candidate.name), ...support });
    }
  }
  return reports;
}
