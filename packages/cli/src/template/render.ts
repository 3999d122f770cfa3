import { display } from "./display.ts";
import { functions, isTrue } from "./functions.ts";
import { templateError } from "./lex.ts";
import { type Node, type Operand, type Pipeline, parseTemplate, type Term } from "./parse.ts";

type Variables = ReadonlyMap<string, unknown>;

/** Parses once; the result renders any number of values. INVALID_ARGUMENT for a bad template or a field that is not there. */
export function compileTemplate(template: string): (value: unknown) => string {
  const nodes = parseTemplate(template);
  return (value) => renderNodes(nodes, value, new Map([["", value]]));
}

function renderNodes(nodes: readonly Node[], dot: unknown, outer: Variables): string {
  const variables = new Map(outer);
  let text = "";
  for (const node of nodes) {
    if (node.type === "text") text += node.text;
    else if (node.type === "range") text += renderRange(node, dot, variables);
    else {
      const value = evaluate(node.pipeline, dot, variables);
      if (node.type === "print") {
        const [name] = node.pipeline.declares;
        if (name === undefined) text += display(value);
        else variables.set(name, value);
      } else {
        const inner = declare(variables, node.pipeline, [value]);
        text += isTrue(value) ? renderNodes(node.then, node.type === "with" ? value : dot, inner) : renderNodes(node.otherwise, dot, inner);
      }
    }
  }
  return text;
}

function renderRange(node: Extract<Node, { type: "if" | "with" | "range" }>, dot: unknown, variables: Variables): string {
  const value = evaluate(node.pipeline, dot, variables);
  const entries: (readonly [unknown, unknown])[] = Array.isArray(value)
    ? [...value.entries()]
    : Object.entries(value ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  if (entries.length === 0) return renderNodes(node.otherwise, dot, variables);
  // one variable is the element, two are the key and the element
  const bind = (key: unknown, each: unknown) => declare(variables, node.pipeline, node.pipeline.declares.length > 1 ? [key, each] : [each]);
  return entries.map(([key, each]) => renderNodes(node.then, each, bind(key, each))).join("");
}

function declare(variables: Variables, { declares }: Pipeline, values: readonly unknown[]): Variables {
  return new Map([...variables, ...declares.map((name, index) => [name, values[index]] as const)]);
}

function evaluate({ commands }: Pipeline, dot: unknown, variables: Variables): unknown {
  let value: unknown;
  for (const [index, command] of commands.entries()) {
    value = run(command, index > 0 ? [value] : [], dot, variables);
  }
  return value;
}

function run(command: readonly Term[], piped: readonly unknown[], dot: unknown, variables: Variables): unknown {
  const [head, ...rest] = command as readonly [Term, ...Term[]];
  const values = () => [...rest.map((term) => termValue(term, dot, variables)), ...piped];
  if (head.operand.type === "function" && head.fields.length === 0) return functionNamed(head.operand.name)(...values());
  let taken = false;
  const value = termValue(head, dot, variables, () => {
    taken = true;
    return values();
  });
  if (!taken && rest.length + piped.length > 0) throw templateError(`cannot give arguments to ${display(value)}`);
  return value;
}

/** A method, which is a field that is a function, gets the command's arguments. */
function termValue({ operand, fields }: Term, dot: unknown, variables: Variables, values?: () => readonly unknown[]): unknown {
  let value = operandValue(operand, dot, variables);
  for (const name of fields) {
    value = field(value, name);
    if (typeof value === "function") return value(...(values?.() ?? []));
  }
  return value;
}

function operandValue(operand: Operand, dot: unknown, variables: Variables): unknown {
  switch (operand.type) {
    case "dot":
      return dot;
    case "literal":
      return operand.value;
    case "pipeline":
      return evaluate(operand.pipeline, dot, variables);
    case "function":
      return functionNamed(operand.name)();
    case "variable":
      if (!variables.has(operand.name)) throw templateError(`undefined variable $${operand.name}`);
      return variables.get(operand.name);
  }
}

function functionNamed(name: string): (...values: unknown[]) => unknown {
  const found = Object.hasOwn(functions, name) ? functions[name] : undefined;
  if (found === undefined) throw templateError(`function "${name}" not defined`);
  return found;
}

/** A name in capitals must be there, as a Go struct's; of a map, whose keys are users' own, anything may be asked. */
function field(value: unknown, name: string): unknown {
  if (typeof value === "object" && value !== null && Object.hasOwn(value, name)) return (value as Record<string, unknown>)[name];
  if (typeof value === "object" && value !== null && !/^\p{Lu}/u.test(name)) return undefined;
  throw templateError(`no field ${name} here`);
}
