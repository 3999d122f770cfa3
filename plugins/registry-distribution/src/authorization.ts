import type { Cancellable, Reference } from "@ramekin/core";
import type { Challenge } from "./challenge.ts";
import type { CredentialSource, Credentials } from "./credentials/credentials.ts";
import type { HttpRequest } from "./http.ts";
import { basic, fetchToken } from "./token.ts";

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

/** Remembers, per registry and scopes, the header that opened the door; requests that ask at the same time share one answer. */
export function authorizer(options: { readonly credentials: CredentialSource; readonly dialer: HttpRequest["dialer"] }): Authorizer {
  const { credentials, dialer } = options;
  const answers = new Map<string, Promise<Answer | undefined>>();
  const keyOf = ({ registry, repository }: Reference, scopes: readonly Scope[]) => [registry, repository, ...scopes].join(" ");

  return {
    async known(reference, scopes) {
      const answer = await answers.get(keyOf(reference, scopes));
      // What is about to expire would cost an upload its whole body.
      return answer && Date.now() < answer.until ? answer.header : undefined;
    },
    async answer(question, { signal }) {
      const key = keyOf(question.reference, question.scopes);
      const known = answers.get(key);
      const answer = await known;
      // Somebody else may have renewed the token since this request went out.
      if (answer && answer.header !== question.refused && Date.now() < answer.until) return answer.header;
      if (answers.get(key) === known) {
        const made = credentials(question.reference).then((found) => respond(question, found, { dialer, signal }));
        answers.set(key, made);
        made.catch(() => answers.delete(key));
      }
      return (await answers.get(key))?.header;
    },
  };
}

interface Answer {
  readonly header: string;
  /** By Date.now(). */
  readonly until: number;
}

const forever = (header: string): Answer => ({ header, until: Number.POSITIVE_INFINITY });

async function respond(
  question: Question,
  credentials: Credentials | undefined,
  line: Pick<HttpRequest, "dialer" | "signal">,
): Promise<Answer | undefined> {
  const { challenges, refused, origin, reference } = question;
  if (credentials && "registryToken" in credentials) return unless(refused, `Bearer ${credentials.registryToken}`);
  const challenge = challenges.find(({ scheme }) => scheme === "bearer");
  if (challenge) {
    const what = `token for ${reference.repository}`;
    const scopes = merge([...question.scopes, ...(challenge.parameters["scope"]?.split(" ") ?? [])]);
    const { token, until } = await fetchToken({ origin, challenge, credentials, scopes, what, host: reference.registry, ...line });
    return { header: `Bearer ${token}`, until };
  }
  if (credentials && "password" in credentials && challenges.some(({ scheme }) => scheme === "basic")) {
    return unless(refused, basic(credentials));
  }
  return undefined;
}

/** One scope per resource: some token servers read only the first of two for the same repository. */
export function merge(scopes: readonly string[]): string[] {
  const actions = new Map<string, Set<string>>();
  for (const scope of scopes.filter((each) => each !== "")) {
    const colon = scope.lastIndexOf(":");
    const resource = scope.slice(0, colon);
    actions.set(resource, new Set([...(actions.get(resource) ?? []), ...scope.slice(colon + 1).split(",")]));
  }
  return [...actions].map(([resource, allowed]) => `${resource}:${[...allowed].join(",")}`);
}

/** Offering again what was turned down would only earn a second refusal. */
function unless(refused: string | undefined, header: string): Answer | undefined {
  return header === refused ? undefined : forever(header);
}
