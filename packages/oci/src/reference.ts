import { RamekinError, type Reference } from "@ramekin/core";
import { parseDigest } from "./digest.ts";

const defaultRegistry = "docker.io";
const officialPrefix = "library/";
/** The length that registries and Docker accept for a repository, without its registry. */
const maxRepositoryLength = 255;

const component = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const repositoryPattern = new RegExp(`^${component}(?:/${component})*$`);
const hostComponent = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
const registryPattern = new RegExp(`^(?:${hostComponent}(?:\\.${hostComponent})*|\\[(?:[a-fA-F0-9:]+)\\])(?::[0-9]+)?$`);
const tagPattern = /^\w[\w.-]{0,127}$/;

/**
 * A name as people write it: `debian`, `me/app:1`, `host:5000/a/b@sha256:…`. Canonical form and rules are Docker's: no registry
 * means docker.io, no namespace there means `library`, neither tag nor digest means `latest`. With tag and digest, both are kept.
 * INVALID_ARGUMENT with a hint for what is none.
 */
export function parseReference(text: string): Reference {
  const invalid = (why: string, hint?: string) =>
    new RamekinError("INVALID_ARGUMENT", `invalid reference ${JSON.stringify(shorten(text))}: ${why}`, hint === undefined ? {} : { hint });

  if (text === "") throw invalid("it is empty", "name an image, such as debian or registry.example/team/app:1.0");
  if (/^[a-f0-9]{64}$/.test(text)) throw invalid("64 hexadecimal digits are an id, not a name", `write sha256:${text} for the id`);
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) throw invalid("it is a URL", `leave out ${text.slice(0, text.indexOf("://") + 3)}`);
  if (/\s/.test(text)) throw invalid("it contains white space");

  const at = text.indexOf("@");
  const digest = at < 0 ? undefined : parseDigest(text.slice(at + 1));
  const named = at < 0 ? text : text.slice(0, at);

  const { registry, rest } = splitRegistry(named);
  const colon = rest.indexOf(":");
  const tag = colon < 0 ? undefined : rest.slice(colon + 1);
  const path = colon < 0 ? rest : rest.slice(0, colon);
  const repository = registry === defaultRegistry && !path.includes("/") ? officialPrefix + path : path;

  if (path === "") throw invalid("the repository is empty");
  if (path !== path.toLowerCase())
    throw invalid(`repository ${shorten(path)} must be lower case`, `write ${shorten(lowerCaseName(named))}`);
  if (!registryPattern.test(registry)) throw invalid(`${shorten(registry)} is not a registry`);
  if (!repositoryPattern.test(repository)) {
    throw invalid(
      `${shorten(path)} is not a repository`,
      "letters and digits, separated by one of . _ __ - inside a part and by / between parts",
    );
  }
  if (repository.length > maxRepositoryLength) throw invalid(`the repository is longer than ${maxRepositoryLength} characters`);
  if (tag !== undefined && !tagPattern.test(tag)) {
    throw invalid(
      `${shorten(tag) || "an empty string"} is not a tag`,
      "at most 128 letters, digits, dots, dashes and underscores, no dot or dash first",
    );
  }
  if (tag === undefined && digest === undefined) return { registry, repository, tag: "latest" };
  return { registry, repository, ...(tag !== undefined && { tag }), ...(digest !== undefined && { digest }) };
}

/** The canonical form, the one that is stored: `docker.io/library/debian:latest`. */
export function formatReference({ registry, repository, tag, digest }: Reference): string {
  return `${registry}/${repository}${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`;
}

/** The form that people see: without docker.io and library, as long as it still parses to the same reference. */
export function familiarReference(reference: Reference): string {
  return familiarRepository(reference) + formatReference({ ...reference, registry: "", repository: "" }).slice(1);
}

/** `debian` for docker.io/library/debian: the REPOSITORY column. */
export function familiarRepository({ registry, repository }: Pick<Reference, "registry" | "repository">): string {
  if (registry !== defaultRegistry) return `${registry}/${repository}`;
  const bare = repository.startsWith(officialPrefix) ? repository.slice(officialPrefix.length) : repository;
  if (bare !== repository && !bare.includes("/")) return bare;
  // Docker prints `foo.bar/app` for docker.io/foo.bar/app, which parses to another registry: keep the whole name then.
  return splitRegistry(repository).registry === defaultRegistry ? repository : `${registry}/${repository}`;
}

/** Whether the registry is on this machine: Docker speaks plain HTTP to those. */
export function isLoopbackRegistry(registry: string): boolean {
  const host = registry.replace(/:[0-9]+$/, "");
  return host === "localhost" || host === "[::1]" || /^127(?:\.[0-9]{1,3}){3}$/.test(host);
}

/** The first part is a registry if it could not be a part of a repository: it has a dot or a port, is localhost, or has capitals. */
function splitRegistry(name: string): { registry: string; rest: string } {
  const slash = name.indexOf("/");
  const first = name.slice(0, Math.max(slash, 0));
  if (slash < 0 || (!/[.:]/.test(first) && first !== "localhost" && first === first.toLowerCase())) {
    return { registry: defaultRegistry, rest: name };
  }
  return { registry: first === "index.docker.io" ? defaultRegistry : first, rest: name.slice(slash + 1) };
}

/** All but the tag in lower case: a first part with capitals was most likely not meant as a registry either. */
function lowerCaseName(named: string): string {
  const tag = /:[^/:]*$/.exec(named)?.[0] ?? "";
  return named.slice(0, named.length - tag.length).toLowerCase() + tag;
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
