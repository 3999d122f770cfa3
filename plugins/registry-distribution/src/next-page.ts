/** RFC 8288: `</v2/a/tags/list?last=b>; rel="next"`. Of the same host only: a list is not a way to send our credentials elsewhere. */
export function nextPage(link: string | null, from: URL): URL | undefined {
  const [, target] = /<([^>]*)>\s*;[^,]*\brel="?next"?/i.exec(link ?? "") ?? [];
  if (target === undefined || !URL.canParse(target, from.href)) return undefined;
  const next = new URL(target, from);
  return next.origin === from.origin ? next : undefined;
}
