import { cleanPath } from "./glob.ts";
import { chomped, parseHeredoc } from "./heredoc.ts";
import type { CommandLine } from "./instruction.ts";

/** The exec form as it is, the shell form behind the shell. */
export function commandWords({ form, words }: Pick<CommandLine, "form" | "words">, shell: readonly string[]): readonly string[] {
  const texts = words.map(({ text }) => text);
  return form === "exec" ? texts : [...shell, texts.join(" ")];
}

export interface RunCommand {
  readonly command: readonly string[];
  readonly script?: { readonly name: string; readonly content: string };
}

/** A heredoc alone is what is run, as a file if it says what runs it; one among other words is for the shell, which gets the lines as they stand. */
export function runCommand(line: CommandLine, shell: readonly string[]): RunCommand {
  const [heredoc] = line.heredocs;
  const [first] = line.words;
  if (line.form !== "shell" || !heredoc || !first) return { command: commandWords(line, shell) };
  if (!parseHeredoc(first.text)) {
    const whole = [first.text, ...line.heredocs.map(({ content, name }) => `${content}${name}`)].join("\n");
    return { command: [...shell, whole] };
  }
  const content = heredoc.chomp ? chomped(heredoc.content) : heredoc.content;
  if (!content.startsWith("#!")) return { command: [...shell, content] };
  const script = { name: heredoc.name, content };
  return { command: [...shell, cleanPath(`/dev/pipes/${heredoc.name}`)], script };
}
