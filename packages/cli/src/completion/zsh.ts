import { globalFlags } from "../globals.ts";
import type { Argument, Flag, Flags, Verb } from "../verb.ts";
import { loadVerbs, topics, verbEntries } from "../verbs/index.ts";
import { candidates } from "./candidates.ts";

/** A function for zsh's fpath. */
export async function zshScript(): Promise<string> {
  const verbs = await loadVerbs();
  const top = verbs.filter(({ name }) => !name.includes(" "));
  const entries = [
    ...top.map(({ name, summary }) => described(name, summary)),
    ...Object.entries(topics).map(([name, summary]) => described(name, summary)),
  ];
  const cases = verbs.map((verb, index) => {
    const paths = verbEntries[index]?.paths ?? [verb.name];
    return `    ${paths.map((path) => `${path.replaceAll(" ", "\\ ")}`).join("|")}) _arguments -s ${argumentSpecs(verb).join(" ")} ;;`;
  });
  const topicCases = Object.keys(topics).map((topic) => {
    const rows = verbs.flatMap((verb, index) =>
      (verbEntries[index]?.paths ?? [])
        .filter((path) => path.startsWith(`${topic} `))
        .map((path) => described(path.slice(topic.length + 1), verb.summary)),
    );
    return `      ${topic}) entries=(${rows.join(" ")}); _describe command entries ;;`;
  });
  return `#compdef ramekin
# zsh completion of ramekin; made by 'ramekin completion zsh'
_ramekin() {
  local curcontext=$curcontext state line verb
  local -a entries names
  _arguments -C ${flagSpecs(globalFlags).join(" ")} '1: :->verb' '*:: :->rest'
  case $state in
    verb) entries=(${entries.join(" ")}); _describe command entries; return ;;
    rest) verb=$line[1] ;;
  esac
  case $verb in
    ${Object.keys(topics).join("|")})
      if (( CURRENT == 2 )); then
        case $verb in
${topicCases.map((line) => `    ${line}`).join("\n")}
        esac
        return
      fi
      verb="$verb $words[2]"; shift words; (( CURRENT-- )) ;;
  esac
  case $verb in
${cases.join("\n")}
  esac
}
_ramekin_names() { names=(\${(f)"$(eval $1 2>/dev/null)"}); compadd -a names; }
compdef _ramekin ramekin
`;
}

const described = (name: string, summary: string) => quote(`${name.replaceAll(":", "\\:")}:${summary}`);

function argumentSpecs(verb: Verb): string[] {
  const specs = flagSpecs(verb.flags);
  for (const [index, argument] of verb.arguments.entries()) {
    specs.push(
      quote(`${argument.repeats ? "*" : String(index + 1)}:${argument.name.toLowerCase().replaceAll(":", "\\:")}:${action(argument)}`),
    );
  }
  return specs;
}

function flagSpecs(flags: Flags): string[] {
  return Object.entries(flags).flatMap(([name, flag]) =>
    [`--${name}`, ...(flag.short === undefined ? [] : [`-${flag.short}`])].map((spelled) => flagSpec(spelled, flag)),
  );
}

function flagSpec(spelled: string, flag: Flag): string {
  const summary = flag.summary.replaceAll("[", "\\[").replaceAll("]", "\\]").replaceAll(":", "\\:");
  const repeat = flag.type === "list" ? "*" : "";
  if (flag.type === "boolean") return quote(`${spelled}[${summary}]`);
  const values = flag.type === "string" && flag.choices !== undefined ? `(${flag.choices.join(" ")})` : action(flag);
  return quote(`${repeat}${spelled}${spelled.startsWith("--") ? "=" : "+"}[${summary}]:value:${values}`);
}

function action({ complete }: Pick<Argument, "complete">): string {
  if (complete === undefined) return " ";
  return complete === "file" ? "_files" : `{_ramekin_names "${candidates[complete]}"}`;
}

const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
