import { RamekinError } from "@ramekin/core";

/**
 * A header for a server, from secrets called `HTTP_AUTH_HEADER_<host>` or `HTTP_AUTH_TOKEN_<host>` (of ADD), `GIT_AUTH_HEADER.<host>`
 * or `GIT_AUTH_TOKEN.<host>` (of repositories; also without a host), or from the address itself.
 */
export function authorizationFor(
  secrets: Readonly<Record<string, Uint8Array>>,
  address: string,
  kind: "HTTP_AUTH" | "GIT_AUTH",
): string | undefined {
  let url: URL;
  try {
    url = new URL(address);
  } catch (cause) {
    throw new RamekinError("INVALID_ARGUMENT", `${address} is no address`, { cause });
  }
  const { host, hostname, username, password } = url;
  const names = (what: string) => [
    ...[host, hostname].flatMap((each) => [`${kind}_${what}_${each}`, `${kind}_${what}.${each}`]),
    ...(kind === "GIT_AUTH" ? [`${kind}_${what}`] : []),
  ];
  const read = (what: string) => {
    const name = names(what).find((each) => Object.hasOwn(secrets, each));
    return name === undefined
      ? undefined
      : Buffer.from(secrets[name] as Uint8Array)
          .toString("utf8")
          .trim();
  };
  const header = read("HEADER");
  if (header !== undefined) return header;
  const token = read("TOKEN");
  if (token !== undefined) return kind === "GIT_AUTH" ? basic(`x-access-token:${token}`) : `Bearer ${token}`;
  return username === "" && password === "" ? undefined : basic(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`);
}

const basic = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`;
