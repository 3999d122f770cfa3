import type { Cancellable } from "./bytes.ts";
import type { CleanupOperation } from "./cleanup.ts";

export interface PortMapping {
  readonly hostAddress?: string;
  readonly hostPort: number;
  readonly containerPort: number;
  readonly protocol: "tcp" | "udp" | "sctp";
}

/** A network as the user made it; the driver keeps none of it. */
export interface NetworkConfig {
  readonly name: string;
  readonly subnets: readonly string[];
  readonly internal?: boolean;
  readonly options: Readonly<Record<string, string>>;
}

/** One container's connection to one network. */
export interface Endpoint {
  readonly network: NetworkConfig;
  readonly containerId: string;
  /** A network namespace that the engine has pinned at this path: it is there before the first process, and after the last. */
  readonly netns: string;
  readonly interfaceName: string;
  /** What DNS answers to on this network: the container's name, then its aliases. */
  readonly name: string;
  readonly aliases: readonly string[];
  readonly ports: readonly PortMapping[];
  /** Asked for by the user. */
  readonly addresses?: readonly string[];
  readonly macAddress?: string;
}

export interface Attached {
  /** With prefix length: `10.88.0.2/16`. */
  readonly addresses: readonly string[];
  readonly gateways: readonly string[];
  readonly macAddress: string;
  readonly nameservers: readonly string[];
  /** As good as `detach`, for the supervisor. */
  readonly cleanup: readonly CleanupOperation[];
}

/**
 * Connects containers to a network: CNI's ADD and DEL. Never needs a pid: attaching comes before the container's first
 * process exists.
 *
 * A driver without `attach` has nothing to connect: its containers get a *private* network namespace with `lo` alone, or
 * share the *host*'s.
 */
export interface NetworkDriver {
  readonly namespace: "private" | "host";
  /** Leaves nothing behind if it rejects. A host port in use rejects with ALREADY_EXISTS. */
  attach?(endpoint: Endpoint, options?: Cancellable): Promise<Attached>;
  /** Idempotent: whatever is gone, the namespace itself included, counts as done. */
  detach?(endpoint: Endpoint): Promise<void>;
}
