import { isIP } from "./ip.ts";
import { Complaint } from "./problem.ts";

export interface ExposedPorts {
  /** `80/tcp`. */
  readonly ports: readonly string[];
  /** The protocol is not in lower case. */
  readonly oddCase: boolean;
  /** It has an address or a host's port, which mean nothing here. */
  readonly mapped: boolean;
}

/** `[address:][host:]port[-port][/protocol]`, as EXPOSE takes it. */
export function parsePort(text: string): ExposedPorts {
  const parts = text.split(":");
  const container = parts.pop() ?? "";
  const host = parts.pop() ?? "";
  const address = parts.join(":");
  const [range = "", protocol = ""] = splitOnce(container, "/");
  if (range === "") throw new Complaint(`invalid port: ${JSON.stringify(text)}: no port specified`);
  if (!["", "tcp", "udp", "sctp"].includes(protocol.toLowerCase()))
    throw new Complaint(`invalid port: ${JSON.stringify(text)}: invalid proto: ${protocol}`, { hint: "tcp, udp or sctp" });
  if (address !== "" && !isIP(address.replace(/^\[(.*)\]$/, "$1"))) throw new Complaint(`invalid IP address: ${address}`);
  const [first, last] = portRange(range) ?? fail(`invalid containerPort: ${range}`);
  if (host !== "") {
    const [from, to] = portRange(host) ?? fail(`invalid hostPort: ${host}`);
    if (last - first !== to - from && first !== last) fail(`invalid ranges specified for container and host Ports: ${range} and ${host}`);
  }
  const name = protocol === "" ? "tcp" : protocol.toLowerCase();
  return {
    ports: Array.from({ length: last - first + 1 }, (_, index) => `${first + index}/${name}`),
    oddCase: protocol !== protocol.toLowerCase(),
    mapped: address !== "" || host !== "",
  };
}

function portRange(text: string): readonly [first: number, last: number] | undefined {
  const [first = "", last = first] = splitOnce(text, "-");
  const [from, to] = [portNumber(first), portNumber(last)];
  return from === undefined || to === undefined || to < from ? undefined : [from, to];
}

function portNumber(text: string): number | undefined {
  const port = /^[-+]?\d+$/.test(text) ? Number(text) : -1;
  return port >= 0 && port <= 65535 ? port : undefined;
}

function splitOnce(text: string, separator: string): readonly string[] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function fail(reason: string): never {
  throw new Complaint(reason, { hint: "80, 80/udp or 8000-8002/tcp" });
}
