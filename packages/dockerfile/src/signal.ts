/** Names and numbers that moby takes for signals, in any case, with or without SIG; on other systems than Linux too. */
const signals = new Set(
  (
    "ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP TSTP TTIN TTOU " +
    "URG USR1 USR2 VTALRM WINCH XCPU XFSZ RTMIN RTMAX"
  ).split(" "),
);

export function isSignal(text: string): boolean {
  if (/^[-+]?\d+$/.test(text)) return Number(text) !== 0;
  const name = text.toUpperCase().replace(/^SIG/, "");
  const [, from, count] = /^RT(MIN\+|MAX-)(\d+)$/.exec(name) ?? [];
  return signals.has(name) || (from !== undefined && !String(count).startsWith("0") && Number(count) <= (from === "MIN+" ? 15 : 14));
}
