import { describe, expect, test } from "vitest";
import { compileTemplate } from "../src/template/render.ts";

const value = {
  Name: "/web",
  State: { Status: "running", ExitCode: 0, Pid: 42, Error: "" },
  Config: { Labels: { "com.example.a": "1", tier: "front" }, Env: ["A=1", "B=2"], Cmd: null },
  Mounts: [{ Source: "/a", Destination: "/b" }],
  Empty: [],
  Label: (name: string) => `<${name}>`,
};
const render = (template: string) => compileTemplate(template)(value);

describe("Go templates", () => {
  test.each([
    ["plain text", "plain text"],
    ["{{.Name}}", "/web"],
    ["{{ .State.Status }}/{{.State.Pid}}", "running/42"],
    ["{{json .State.ExitCode}} {{json .Config.Env}}", '0 ["A=1","B=2"]'],
    ["{{.Config.Env}} {{.Config.Labels}}", "[A=1 B=2] map[com.example.a:1 tier:front]"],
    ['{{index .Config.Labels "com.example.a"}}', "1"],
    ['{{index .Config.Labels "none"}}|{{index .Config.Env 1}}', "|B=2"],
    ["{{(index .Mounts 0).Source}}", "/a"],
    ['{{join .Config.Env ","}}', "A=1,B=2"],
    ['{{.State.Status | upper | printf "%-10s|"}}', "RUNNING   |"],
    ['{{printf "%q %d%%" .Name .State.Pid}}', '"/web" 42%'],
    ["{{truncate .State.Status 3}} {{lower `ABC`}} {{title `abc`}}", "run abc Abc"],
    ["{{len .Config.Env}} {{len .Name}}", "2 4"],
    ["{{println .Name}}", "/web\n"],
    ["{{if .State.Error}}bad{{else}}good{{end}}", "good"],
    ["{{if eq .State.Status `exited` `running`}}yes{{end}}", "yes"],
    ["{{if and .Name (not .State.Error)}}a{{else if .Name}}b{{else}}c{{end}}", "a"],
    ["{{if .State.Error}}a{{else if .Name}}b{{else}}c{{end}}", "b"],
    ["{{range .Mounts}}{{.Source}}:{{.Destination}} {{$.Name}}{{end}}", "/a:/b /web"],
    ["{{range $i, $e := .Config.Env}}{{$i}}={{$e}};{{end}}", "0=A=1;1=B=2;"],
    ["{{range $key, $_ := .Config.Labels}}{{$key}} {{end}}", "com.example.a tier "],
    ["{{range .Empty}}x{{else}}none{{end}}", "none"],
    ["{{with .State}}{{.Pid}}{{end}}{{with .State.Error}}x{{else}}-{{end}}", "42-"],
    ["{{$s := .State}}{{$s.Pid}}", "42"],
    ['{{.Label "a b"}}', "<a b>"],
    ["a {{- /* nothing */ -}} b", "ab"],
    ["a  {{- .State.Pid -}}  b", "a42b"],
    ['{{"}}"}}', "}}"],
    ["{{.Config.Labels.tier}}{{.Config.Labels.absent}}", "front<no value>"],
    ["{{.Config.Cmd}}", "<no value>"],
    ["{{slice .Name 1}} {{pad .State.Status 1 1}}|{{split `a,b` `,`}}", "web  running |[a b]"],
    ["{{print .State.Pid .State.ExitCode}}{{or .State.Error .Name}}", "42 0/web"],
    ["{{lt 1 2}}{{ge 1 2}}{{ne 1 2}}", "truefalsetrue"],
  ])("%s", (template, expected) => {
    expect(render(template)).toBe(expected);
  });

  test.each([
    ["{{.Nope}}", "no field Nope here"],
    ["{{.State.Nope.More}}", "no field Nope"],
    ["{{nope .Name}}", 'function "nope" not defined'],
    ["{{constructor}}", 'function "constructor" not defined'],
    ["{{.Name", "unclosed action"],
    ["{{if .Name}}x", "{{end}} is missing"],
    ["{{end}}", "unexpected {{end}}"],
    ["{{}}", "missing value"],
    ["{{$x}}", "undefined variable $x"],
    ["{{(.Name}}", "unclosed ("],
    ["{{.Name .State}}", "cannot give arguments"],
    ["{{.Name | }}", "missing value"],
    ["{{#}}", 'unexpected "#"'],
    ["{{index .Config.Env 5}}", "index out of range"],
  ])("%s is refused", (template, message) => {
    expect(() => render(template)).toThrow(message);
  });
});

test.each([
  [
    '{{printf "%-8s|%5s|%q|%d|%v|%05d|%x|%X|%t|%%" "ab" "x" "y" 7 true 42 255 "hi" false}}',
    'ab      |    x|"y"|7|true|00042|ff|6869|false|%',
  ],
  ['{{printf "%+d %.2f %6.1f|%c|%o|%b|%.2s" 5 1.005 2.3 65 8 5 "abc"}}', "+5 1.00    2.3|A|10|101|ab"],
  ['{{printf "%d %s" "x"}}', "%!d(string=x) %!s(MISSING)"],
  ['{{printf "a" 1 "b"}}', "a%!(EXTRA int=1, string=b)"],
  ['{{print 1 2 "a" "b" 3}}', "1 2ab3"],
  ['{{html "<a href=\'x\'>"}} {{urlquery "a b&c"}} {{js "it\'s"}}', "&lt;a href=&#39;x&#39;&gt; a+b%26c it\\'s"],
  ['{{slice "häh" 0 1}} {{slice "abcdef" 2 4}} {{len "häh"}}', "h cd 4"],
])("as Go has it: %s", (template, expected) => {
  expect(compileTemplate(template)({})).toBe(expected);
});

test("a slice beyond its end is refused", () => {
  expect(() => compileTemplate('{{slice "abc" 1 5}}')({})).toThrow("index out of range: 5");
});
