import { BlockList, isIP } from "node:net";
import { isLoopbackRegistry } from "@ramekin/oci";

/** Whether `host[:port]` may do without a certificate. An explicit list, even an empty one, is all there is (Docker 29.10); without one, this machine may. */
export function insecureHosts(list: readonly string[] | undefined): (host: string) => boolean {
  if (list === undefined) return isLoopbackRegistry;
  const networks = new BlockList();
  for (const each of list) {
    const [address = "", bits] = each.split("/");
    const family = isIP(address);
    if (family !== 0 && bits !== undefined) networks.addSubnet(address, Number(bits), family === 6 ? "ipv6" : "ipv4");
  }
  return (host) => {
    const name = host.replace(/:\d+$/, "").replace(/^\[|\]$/g, "");
    const family = isIP(name);
    return list.includes(host) || list.includes(name) || (family !== 0 && networks.check(name, family === 6 ? "ipv6" : "ipv4"));
  };
}
