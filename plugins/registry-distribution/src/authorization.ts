import { type Cancellable, RamekinError, type Reference } from "@ramekin/core";
import type { Challenge } from "./challenge.ts";
import type { CredentialSource, Credentials } from "./credentials.ts";
import { exchange, type HttpRequest, readAll } from "./http.ts";
import { statusError } from "./status.ts";

/** What a request wants to do, as a token's scope (distribution spec, "Token Scope"): `repository:library/debian:pull`. */
export type Scope = `repository:${string}:${string}`;

export interface Authorizer {
  /** What worked the last time for these scopes, if anything was needed. */
  known(reference: Reference, scopes: readonly Scope[]): Promise<string | undefined>;
  /** The header that answers a 401, or undefined if there is nothing (more) to offer. `refused` is what the server has just turned down. */
  answer(question: Question, options: Cancellable): Promise<string | undefined>;
}

export interface Question {
  readonly origin: URL;
  readonly reference: Reference;
  readonly scopes: readonly Scope[];
  readonly challenges: readonly Challenge[];
  readonly refused: string | undefined;
}

const maxTokenResponse = 1 << 20;

/** Remembers, per registry and scopes, the header that opened the door; requests that ask at the same time share one answer. */
export function authorizer(options: { readonly credentials: CredentialSource; readonly idle: number }): Authorizer {
  const { credentials, idle } = options;
  const headers = new Map<string, Promise<string | undefined>>();
  const keyOf = ({ registry, repository }: Reference, scopes: readonly Scope[]) => [registry, repository, ...scopes].join(" ");

  return {
    known: async (reference, scopes) => headers.get(keyOf(reference, scopes)),
    async answer(question, { signal }) {
      const key = keyOf(question.reference, question.scopes);
      const known = headers.get(key);
      // Somebody else may have renewed the token since this request went out.
      if (known && (await known) !== question.refused) return known;
      if (headers.get(key) === known) {
        const made = credentials(question.reference).then((found) => respond(question, found, { idle, signal }));
        headers.set(key, made);
        made.catch(() => headers.delete(key));
      }
      return headers.get(key);
    },
  };
}

async function respond(question: Question, credentials: Credentials | undefined, line: Line): Promise<string | undefined> {
  const { challenges, refused } = question;
  if (credentials && "registryToken" in credentials) return unless(refused, `Bearer ${credentials.registryToken}`);
  const bearer = challenges.find(({ scheme }) => scheme === "bearer");
  if (bearer) return `Bearer ${await fetchToken(question, bearer, credentials, line)}`;
  if (credentials && "password" in credentials && challenges.some(({ scheme }) => scheme === "basic")) {
    return unless(refused, basic(credentials));
  }
  return undefined;
}

type Line = Pick<HttpRequest, "idle" | "signal">;

/** Offering again what was turned down would only earn a second refusal. */
function unless(refused: string | undefined, header: string): string | undefined {
  return header === refused ? undefined : header;
}

function basic({ username, password }: { readonly username: string; readonly password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

/** Distribution spec, "Token Authentication"; without credentials it asks for an anonymous token, which public registries hand out. */
async function fetchToken(question: Question, challenge: Challenge, credentials: Credentials | undefined, line: Line): Promise<string> {
  const { service } = challenge.parameters;
  const realm = realmOf(question.origin, challenge);
  const scopes = [...new Set([...question.scopes, ...(challenge.parameters["scope"]?.split(" ") ?? [])])].filter((scope) => scope !== "");
  const what = `token for ${question.reference.repository}`;

  const request: HttpRequest =
    credentials && "identityToken" in credentials
      ? refreshRequest(realm, { service, scopes, token: credentials.identityToken, line })
      : passwordRequest(realm, { service, scopes, credentials, line });
  const response = await exchange(request);
  if (response.status !== 200) throw await statusError(response, what);

  const token = tokenIn(await readAll(response.body, maxTokenResponse, what));
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

interface TokenParameters {
  readonly service: string | undefined;
  readonly scopes: readonly string[];
  readonly line: Line;
}

function passwordRequest(
  realm: URL,
  { service, scopes, credentials, line }: TokenParameters & { credentials: Credentials | undefined },
): HttpRequest {
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set("service", service);
  for (const scope of scopes) url.searchParams.append("scope", scope);
  const account = credentials && "password" in credentials ? credentials : undefined;
  if (account) url.searchParams.set("account", account.username);
  return { ...line, method: "GET", url, authorization: account && basic(account) };
}

function refreshRequest(realm: URL, { service, scopes, token, line }: TokenParameters & { token: string }): HttpRequest {
  const form = new URLSearchParams({ grant_type: "refresh_token", client_id: "ramekin", refresh_token: token, scope: scopes.join(" ") });
  if (service !== undefined) form.set("service", service);
  const bytes = Buffer.from(form.toString());
  return {
    ...line,
    method: "POST",
    url: realm,
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: () => ({ size: bytes.byteLength, bytes: ReadableStream.from([bytes]) }),
  };
}

function tokenIn(bytes: Uint8Array): string | undefined {
  let answer: { token?: unknown; access_token?: unknown };
  try {
    answer = JSON.parse(new TextDecoder().decode(bytes)) ?? {};
  } catch {
    return undefined;
  }
  // Whoever can put a line break into a header can put a header there.
  return [answer.token, answer.access_token].find((token): token is string => typeof token === "string" && /^[\x21-\x7e]+$/.test(token));
}
