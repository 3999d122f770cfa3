import { type Cancellable, type LoginOptions, type LoginReport, RamekinError } from "@ramekin/core";
import { parseChallenges } from "./challenge.ts";
import type { Credentials, Environment } from "./credentials/credentials.ts";
import { checkAccount, credentialStore } from "./credentials/store.ts";
import { exchange, type HttpResponse } from "./http.ts";
import { withRetries } from "./retry.ts";
import type { Parts, Session } from "./session.ts";
import { statusError } from "./status.ts";
import { basic, fetchToken } from "./token.ts";

/** See `RegistryClient.login`. */
export async function login(
  session: Session,
  registry: string,
  { account, authFile, signal }: LoginOptions,
  environment: Environment,
): Promise<LoginReport> {
  const store = credentialStore(environment, authFile);
  if (account) {
    checkAccount(account);
    const identityToken = await confirm(session, registry, account, { signal });
    const secret = identityToken === undefined ? { password: account.password } : { identityToken };
    return { username: account.username, kept: await store.put(registry, { username: account.username, secret }) };
  }
  const found = await store.find(registry);
  if (!found) throw new RamekinError("FAILED_PRECONDITION", `not logged in to ${registry}`);
  await confirm(session, registry, found.credentials, { signal });
  return found.username === undefined ? {} : { username: found.username };
}

/** Resolves with the identity token that stands for the password from now on, where the token server gives one. */
async function confirm(
  { retry, parts }: Session,
  registry: string,
  credentials: Credentials,
  { signal }: Cancellable,
): Promise<string | undefined> {
  return withRetries(retry, signal, async () => {
    const { origin, ask } = await basis(parts, registry, signal);
    const first = await ask(undefined);
    if (first.status === 200) {
      await first.discard();
      return undefined;
    }
    const challenges = parseChallenges(first.headers.get("www-authenticate"));
    if (first.status !== 401 || challenges.length === 0) throw await noRegistry(first, registry);
    await first.discard();
    const challenge = challenges.find(({ scheme }) => scheme === "bearer");
    const what = `login to ${registry}`;
    const token =
      challenge && !("registryToken" in credentials)
        ? await fetchToken({
            ...{ origin, challenge, credentials, what, signal },
            ...{ scopes: [], host: registry, dialer: parts.dialer, offline: true },
          }).catch((error: unknown) => {
            throw refusal(error, registry);
          })
        : undefined;
    const answer = await ask(token ? `Bearer ${token.token}` : headerOf(credentials));
    if (answer.status !== 200) throw refusal(await statusError(answer, what, registry), registry);
    await answer.discard();
    return token?.refreshToken;
  });
}

function headerOf(credentials: Credentials): string | undefined {
  if ("registryToken" in credentials) return `Bearer ${credentials.registryToken}`;
  return "password" in credentials ? basic(credentials) : undefined;
}

/** Distribution spec, "Determining Support": `GET /v2/`, of the registry itself. */
async function basis({ rules, origins, dialer }: Parts, registry: string, signal: AbortSignal | undefined) {
  const place = (await rules.places({ registry, repository: "" })).at(-1);
  if (!place) throw new RamekinError("NOT_FOUND", `no host for ${registry}`);
  const origin = await origins(place, { signal });
  const url = new URL(`${place.base}/`, origin);
  const ask = (authorization: string | undefined) =>
    exchange({ method: "GET", url, dialer, signal, confidential: place.headers, authorization });
  return { origin, ask };
}

/** The version of the API is part of its path; whoever does not know it answers 404, or with a page for people. */
async function noRegistry(response: HttpResponse, registry: string): Promise<Error> {
  if (response.status >= 500 || response.status === 429) return statusError(response, `login to ${registry}`, registry);
  await response.discard();
  return new RamekinError("UNSUPPORTED", `${registry} does not speak version 2 of the registry API: it answers ${response.status}`, {
    hint: "check the name and the port",
  });
}

function refusal(error: unknown, registry: string): unknown {
  if (!(error instanceof RamekinError) || error.code !== "UNAUTHENTICATED") return error;
  return new RamekinError("UNAUTHENTICATED", `${registry} refuses this user name and password`, {
    cause: error,
    hint: `check both; it may want an access token in place of the password (${error.message})`,
  });
}
