import { RamekinError } from "@ramekin/core";

/** `80`, `53/udp`, `8000-8010/tcp`: one by one, with the protocol. */
export function parsePorts(text: string): string[] {
  const [, first = "", last = first, protocol = "tcp"] = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(text) ?? [];
  const [low, high] = [Number(first), Number(last)];
  if (first === "" || low > high || high > 65_535 || low === 0)
    throw new RamekinError("INVALID_ARGUMENT", `no port to expose: ${text}`, { hint: "PORT[-PORT][/tcp|udp|sctp]" });
  return Array.from({ length: high - low + 1 }, (_, offset) => `${low + offset}/${protocol.toLowerCase()}`);
}
