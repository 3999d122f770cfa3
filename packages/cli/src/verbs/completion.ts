import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "completion",
  group: "system",
  summary: "Print a script that completes ramekin commands in your shell",
  arguments: [{ name: "SHELL", summary: "bash, zsh or fish" }],
  flags: {},
  examples: [
    { command: "source <(ramekin completion bash)", summary: "In ~/.bashrc" },
    { command: "ramekin completion zsh > ~/.zfunc/_ramekin", summary: "In a folder of your fpath" },
    { command: "ramekin completion fish > ~/.config/fish/completions/ramekin.fish", summary: "Where fish looks" },
  ],
  hot: false,
  async run({ arguments: [shell = ""] }, context) {
    const { completionScript } = await import("../completion/completion-script.ts");
    context.stdout.write(await completionScript(shell));
    return 0;
  },
});
