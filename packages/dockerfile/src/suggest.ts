/** The option nearest to a word with a slip in it: at most two edits away, as Docker suggests. Undefined for an option itself. */
export function suggest(word: string, options: Iterable<string>, { caseSensitive = true } = {}): string | undefined {
  const fold = (text: string) => (caseSensitive ? text : text.toLowerCase());
  let nearest: string | undefined;
  let least = 3;
  for (const option of options) {
    if (fold(option) === fold(word)) return undefined;
    const edits = distance(fold(word), fold(option));
    if (edits >= least) continue;
    least = edits;
    nearest = option;
  }
  if (nearest === undefined || caseSensitive) return nearest;
  if (word === word.toLowerCase()) return nearest.toLowerCase();
  return word === word.toUpperCase() ? nearest.toUpperCase() : nearest;
}

export const didYouMean = (word: string, options: Iterable<string>, how?: { caseSensitive: boolean }): string | undefined => {
  const nearest = suggest(word, options, how);
  return nearest === undefined ? undefined : `did you mean ${nearest}?`;
};

/** Levenshtein's. What differs in length by three is too far away to be worth the work. */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return 3;
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
