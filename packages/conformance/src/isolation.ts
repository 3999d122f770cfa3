import { aftermath, links } from "./isolation/aftermath.ts";
import type { IsolationFixture } from "./isolation/fixture.ts";
import { lifeCycle } from "./isolation/life-cycle.ts";
import { limits } from "./isolation/limits.ts";
import { orders } from "./isolation/orders.ts";
import { execs, signals } from "./isolation/processes.ts";
import { namespaces, privileges, users } from "./isolation/sandbox.ts";
import { stdio } from "./isolation/stdio.ts";
import { supervision } from "./isolation/supervision.ts";
import type { Suite } from "./suite.ts";

/** What it means to run containers: the contract of `IsolationBackend`, and the sandbox that Docker's users rely on. */
export const isolationSuite: Suite<IsolationFixture> = {
  kind: "isolation",
  cases: [
    ...lifeCycle,
    ...stdio,
    ...signals,
    ...execs,
    ...namespaces,
    ...privileges,
    ...users,
    ...limits,
    ...supervision,
    ...orders,
    ...aftermath,
    ...links,
  ],
};
