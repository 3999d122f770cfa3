import { globalFlags } from "../globals.ts";
import type { Flag, Flags, Verb } from "../verb.ts";
import { loadVerbs, topics, verbEntries } from "../verbs/index.ts";
import { candidates } from "./candidates.ts";

/** For bash 4 or later, without the bash-completion package. */
export async function bashScript(): Promise<string> {
  const verbs = await loadVerbs();
  const paths = verbEntries.flatMap(({ paths }) => paths);
  const firstWords = [...new Set([...paths.map((path) => path.split(" ")[0] as string), "help"])].sort();
  const cases = verbs.map((verb, index) => verbCase(verb, verbEntries[index]?.paths ?? [verb.name]));
  const topicCases = Object.keys(topics).map((topic) => {
    const seconds = paths.filter((path) => path.startsWith(`${topic} `)).map((path) => path.slice(topic.length + 1));
    return `    ${topic}) words="${seconds.sort().join(" ")}" ;;`;
  });
  return `# bash completion of ramekin; made by 'ramekin completion bash'
_ramekin() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} verb= words= values= names= i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in
      ${valueFlags(globalFlags).join("|")}) ((i++)) ;;
      -*) ;;
      ${Object.keys(topics).join("|")}) if [[ -z $verb ]]; then verb=\${COMP_WORDS[i]}; else verb+=" \${COMP_WORDS[i]}"; break; fi ;;
      *) if [[ -z $verb ]]; then verb=\${COMP_WORDS[i]}; else verb+=" \${COMP_WORDS[i]}"; fi; break ;;
    esac
  done
  case $verb in
    "") words="${firstWords.join(" ")}"; [[ $cur == -* ]] && words="${longFlags(globalFlags)}" ;;
${topicCases.join("\n")}
${cases.join("\n")}
  esac
  if [[ -n $values && $values == *" $prev "* ]]; then
    compopt -o default
    return
  fi
  [[ -n $names && $cur != -* ]] && words=$(eval "$names" 2>/dev/null)
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
  [[ $cur == *:* ]] && declare -F __ltrim_colon_completions >/dev/null && __ltrim_colon_completions "$cur"
}
complete -F _ramekin ramekin
`;
}

function verbCase(verb: Verb, paths: readonly string[]): string {
  const complete = verb.arguments[0]?.complete;
  const names = complete === undefined || complete === "file" ? "" : ` names=${quote(candidates[complete])}`;
  const pattern = paths.map((path) => (path.includes(" ") ? `"${path}"` : path)).join("|");
  return `    ${pattern}) words="${longFlags(verb.flags)} --help" values=" ${valueFlags(verb.flags).join(" ")} "${names} ;;`;
}

const longFlags = (flags: Flags) =>
  Object.keys(flags)
    .map((name) => `--${name}`)
    .join(" ");

/** Flags whose value is the next word. */
function valueFlags(flags: Flags): string[] {
  const spelled = ([name, { short }]: [string, Flag]) => [`--${name}`, ...(short === undefined ? [] : [`-${short}`])];
  return Object.entries(flags)
    .filter(([, { type }]) => type !== "boolean")
    .flatMap(spelled);
}

const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
