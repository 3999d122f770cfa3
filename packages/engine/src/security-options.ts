import type { SeccompProfile } from "@ramekin/oci";

/** What a container's processes may do. Docker's defaults where nothing is said: fourteen capabilities, its seccomp profile, hidden paths. */
export interface SecurityOptions {
  /** With or without `CAP_`, in any case; `ALL`. */
  readonly capAdd?: readonly string[];
  /** What is both dropped and added is added, as in Docker. */
  readonly capDrop?: readonly string[];
  /** All capabilities and devices, no seccomp filter, nothing hidden, /sys and control groups writable. */
  readonly privileged?: boolean;
  /** Set-user-ID programs and file capabilities give nothing. */
  readonly noNewPrivileges?: boolean;
  /** The default profile when absent. */
  readonly seccomp?: "unconfined" | SeccompProfile;
  readonly apparmor?: string;
  /** More paths to hide. */
  readonly mask?: readonly string[];
  /** Paths, of those that are hidden or read-only by default, to leave as they are; `ALL`. */
  readonly unmask?: readonly string[];
  readonly writableCgroups?: boolean;
}
