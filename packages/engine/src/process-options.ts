/** Who the processes are, and what they find of the world. */
export interface ProcessOptions {
  /** More groups, by name or number. */
  readonly groups?: readonly string[];
  readonly umask?: number;
  /** A name of the zone database, or `local` for the host's: becomes /etc/localtime. */
  readonly timezone?: string;
  /** Of the image's variables and our own. */
  readonly unsetEnv?: readonly string[];
  /** All of the image's variables and our own, but what `env` sets. */
  readonly unsetAllEnv?: boolean;
  /** NIS domain name. */
  readonly domainname?: string;
  /** Lines of /etc/hosts, as `NAME:ADDRESS`. */
  readonly extraHosts?: readonly string[];
  /** /etc/hosts stays the image's. */
  readonly noHosts?: boolean;
  /** resolv.conf(5): what is given takes the place of what would stand there. */
  readonly dns?: DnsOptions;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Ports that it listens on, as `80/tcp`: for whoever reads it. */
  readonly expose?: readonly string[];
  /** An OCI runtime in the place of the one that the backend would choose: a path, or a name to look for in PATH. */
  readonly runtime?: string;
  /** Gets the pid of the first process, as the host sees it, at each start. */
  readonly pidFile?: string;
}

export interface DnsOptions {
  readonly servers?: readonly string[];
  /** `.` alone: none. */
  readonly search?: readonly string[];
  readonly options?: readonly string[];
}
