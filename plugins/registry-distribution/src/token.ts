import { type Cancellable, RamekinError } from "@ramekin/core";
import type { Challenge } from "./challenge.ts";
import type { Credentials } from "./credentials/credentials.ts";
import { exchange, type HttpRequest, readAll } from "./http.ts";
import { statusError } from "./status.ts";

export interface TokenRequest extends Cancellable {
  /** Of the registry that asks for a token. */
  readonly origin: URL;
  readonly challenge: Challenge;
  readonly credentials: Credentials | undefined;
  readonly scopes: readonly string[];
  readonly what: string;
  /** The registry, as a reference names it. */
  readonly host: string;
  readonly dialer: HttpRequest["dialer"];
  /** For `login`: also a token that stands for the password from then on. */
  readonly offline?: boolean;
}

export interface Token {
  readonly token: string;
  /** By Date.now(). */
  readonly until: number;
  readonly refreshToken: string | undefined;
}

const maxTokenResponse = 1 << 20;
/** Seconds, where the answer does not say: the distribution spec's default. */
const defaultLife = 60;

/**
 * Distribution spec, "Token Authentication"; without credentials it asks for an anonymous token, which public registries hand
 * out. As Docker: a password by GET and Basic, an identity token by OAuth2's refresh grant; and the password grant where a
 * server knows only POST.
 */
export async function fetchToken(request: TokenRequest): Promise<Token> {
  const { credentials, what, host } = request;
  const realm = realmOf(request.origin, request.challenge);
  const account = credentials && "password" in credentials ? credentials : undefined;
  const grant =
    credentials && "identityToken" in credentials
      ? { grant_type: "refresh_token", refresh_token: credentials.identityToken }
      : account && { grant_type: "password", username: account.username, password: account.password };

  let response =
    grant?.grant_type === "refresh_token" ? await exchange(form(realm, request, grant)) : await exchange(query(realm, request, account));
  if (account && grant && (response.status === 404 || response.status === 405)) {
    await response.discard();
    response = await exchange(form(realm, request, grant));
  }
  if (response.status !== 200) throw await statusError(response, what, host);
  const token = read(await readAll(response.body, maxTokenResponse, what));
  if (token === undefined) throw new RamekinError("UNAUTHENTICATED", `${what}: ${realm.host} answers without a token`);
  return token;
}

/** CVE-2020-15157 and its kin: a realm is chosen by the server, so it must not choose a file or a weaker protocol. */
function realmOf(origin: URL, { parameters }: Challenge): URL {
  const text = parameters["realm"] ?? "";
  const realm = URL.canParse(text) ? new URL(text) : undefined;
  if (realm && (realm.protocol === "https:" || (realm.protocol === "http:" && origin.protocol === "http:"))) return realm;
  throw new RamekinError("UNAUTHENTICATED", `registry ${origin.host} names ${JSON.stringify(text.slice(0, 200))} as the place to log in`, {
    hint: "it must be an https URL; http is accepted only from a registry that speaks plain http itself",
  });
}

export function basic({ username, password }: { readonly username: string; readonly password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

function query(realm: URL, request: TokenRequest, account: { username: string; password: string } | undefined): HttpRequest {
  const { origin, challenge, scopes, dialer, signal, offline = false } = request;
  const url = new URL(realm);
  const { service } = challenge.parameters;
  if (service !== undefined) url.searchParams.set("service", service);
  for (const scope of scopes) url.searchParams.append("scope", scope);
  if (account) url.searchParams.set("account", account.username);
  if (offline) {
    url.searchParams.set("client_id", "ramekin");
    url.searchParams.set("offline_token", "true");
  }
  return { method: "GET", url, sentBy: origin, dialer, signal, authorization: account && basic(account) };
}

function form(url: URL, request: TokenRequest, grant: Readonly<Record<string, string>>): HttpRequest {
  const { origin, challenge, scopes, dialer, signal, offline = false } = request;
  const fields = new URLSearchParams({ ...grant, client_id: "ramekin" });
  if (challenge.parameters["service"] !== undefined) fields.set("service", challenge.parameters["service"]);
  if (scopes.length > 0) fields.set("scope", scopes.join(" "));
  if (offline && grant["grant_type"] === "password") fields.set("access_type", "offline");
  const bytes = Buffer.from(fields.toString());
  return {
    method: "POST",
    url,
    sentBy: origin,
    dialer,
    signal,
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: () => ({ size: bytes.byteLength, bytes: ReadableStream.from([bytes]) }),
  };
}

function read(bytes: Uint8Array): Token | undefined {
  let answer: Readonly<Record<string, unknown>>;
  try {
    answer = JSON.parse(new TextDecoder().decode(bytes)) ?? {};
  } catch {
    return undefined;
  }
  // Whoever can put a line break into a header can put a header there.
  const usable = (value: unknown): value is string => typeof value === "string" && /^[\x21-\x7e]+$/.test(value);
  const token = [answer["token"], answer["access_token"]].find(usable);
  if (token === undefined) return undefined;
  const { expires_in: stated, refresh_token: refresh } = answer;
  const life = typeof stated === "number" && stated > 0 ? stated : defaultLife;
  return { token, until: Date.now() + life * 900, refreshToken: usable(refresh) ? refresh : undefined };
}
