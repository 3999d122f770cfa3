import { createPrivateKey, randomUUID, sign } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Identity } from "./authority.ts";

/** One token that was asked for. */
export interface TokenAsked {
  readonly method: string;
  /** Of the query, or of the form. */
  readonly fields: Readonly<Record<string, string>>;
  readonly scopes: readonly string[];
  readonly user: string | undefined;
}

export interface TokenServer extends AsyncDisposable {
  readonly realm: string;
  readonly asked: readonly TokenAsked[];
}

export interface TokenServerOptions {
  /** Signs; docker-registry knows its authority (`rootcertbundle`). */
  readonly identity: Identity;
  readonly users: Readonly<Record<string, string>>;
  /** Actions by user ("" for nobody) and repository; "*" is any repository. */
  readonly allowed: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  /** Seconds. */
  readonly life?: number;
  /** Only OAuth2's POST, as some servers have it. */
  readonly postOnly?: boolean;
  /** By https, with this certificate. */
  readonly tls?: Identity;
}

export const tokenIssuer = "ramekin test issuer";
export const tokenService = "ramekin test registry";

/** The token server of the distribution project's specification: GET with Basic, POST with OAuth2's grants; JWTs signed by ES256. */
export async function tokenServer(options: TokenServerOptions): Promise<TokenServer> {
  const asked: TokenAsked[] = [];
  const refreshTokens = new Map<string, string>();
  const key = createPrivateKey(await readFile(options.identity.key));
  const certificate = (await readFile(options.identity.cert, "utf8")).replace(/-----[^-]+-----|\s/g, "");
  const answer: RequestListener = (request, response) => {
    void read(request).then((fields) => {
      const user = whoIs(request, fields, options, refreshTokens);
      const scopes = fields.getAll("scope").flatMap((scope) => scope.split(" ").filter((each) => each !== ""));
      asked.push({ method: request.method ?? "", fields: Object.fromEntries(fields), scopes, user: user || undefined });
      if (options.postOnly && request.method === "GET") return response.writeHead(405).end();
      if (user === undefined)
        return response.writeHead(401).end(JSON.stringify({ errors: [{ code: "UNAUTHORIZED", message: "who are you" }] }));
      const wantsRefresh = fields.get("offline_token") === "true" || fields.get("access_type") === "offline";
      const refresh = wantsRefresh && user !== "" ? randomUUID() : undefined;
      if (refresh) refreshTokens.set(refresh, user);
      const { life = 300 } = options;
      const token = jwt(key, certificate, user, access(scopes, options.allowed[user] ?? {}), life);
      const body = { token, access_token: token, expires_in: life, ...(refresh && { refresh_token: refresh }) };
      return response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
    });
  };
  const { tls } = options;
  const server = tls ? createSecureServer({ cert: await readFile(tls.cert), key: await readFile(tls.key) }, answer) : createServer(answer);
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  return {
    realm: `${tls ? "https" : "http"}://127.0.0.1:${(server.address() as AddressInfo).port}/token`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function read(request: IncomingMessage): Promise<URLSearchParams> {
  let body = "";
  for await (const chunk of request.setEncoding("utf8")) body += chunk;
  return request.method === "POST" ? new URLSearchParams(body) : new URL(request.url ?? "/", "http://x").searchParams;
}

/** A name, "" for nobody in particular, undefined for somebody who is lying. */
function whoIs(
  { headers }: IncomingMessage,
  fields: URLSearchParams,
  { users }: TokenServerOptions,
  refreshTokens: ReadonlyMap<string, string>,
): string | undefined {
  if (fields.get("grant_type") === "refresh_token") return refreshTokens.get(fields.get("refresh_token") ?? "");
  const [name, password] =
    fields.get("grant_type") === "password"
      ? [fields.get("username") ?? "", fields.get("password") ?? ""]
      : splitOnce(Buffer.from((headers.authorization ?? "").replace(/^Basic /, ""), "base64").toString());
  if (name === "" && headers.authorization === undefined) return "";
  return users[name] === password ? name : undefined;
}

function splitOnce(text: string): [string, string] {
  const colon = text.indexOf(":");
  return colon < 0 ? [text, ""] : [text.slice(0, colon), text.slice(colon + 1)];
}

function access(scopes: readonly string[], allowed: Readonly<Record<string, readonly string[]>>) {
  return scopes.map((scope) => {
    const [type = "", ...rest] = scope.split(":");
    const actions = (rest.at(-1) ?? "").split(",");
    const name = rest.slice(0, -1).join(":");
    return { type, name, actions: actions.filter((action) => (allowed[name] ?? allowed["*"] ?? []).includes(action)) };
  });
}

function jwt(key: ReturnType<typeof createPrivateKey>, certificate: string, subject: string, granted: unknown, life: number): string {
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: tokenIssuer, aud: tokenService, sub: subject, jti: randomUUID(), access: granted };
  const times = { iat: now, nbf: now - 5, exp: now + life };
  const signed = `${encode({ typ: "JWT", alg: "ES256", x5c: [certificate] })}.${encode({ ...claims, ...times })}`;
  return `${signed}.${sign("sha256", Buffer.from(signed), { key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
}
