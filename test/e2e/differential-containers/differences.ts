const capabilities =
  "the daemon asks for every capability it knows, and a machine that holds one back gets no container; ours asks for those there are";

/** Lines where we are not meant to say what Debian's docker 20.10 says, and why. Each must be true: what is listed and is the same fails, too. */
export const differences: Readonly<Record<string, string>> = {
  "run: contradiction": "its client gives 1 for `-d -a`, before it is the code of a run; with us what run refuses is always 125",
  "view: mounts": "/proc/interrupts is masked by us; 20.10 is older than that rule",
  "view: capabilities, all but": capabilities,
  "view: privileged": capabilities,
  "view: network none": "we write the container's own name into /etc/hosts, as Podman does, and no zero more than an address needs",
  "view: resolver": "name servers come first in our /etc/resolv.conf; a resolver does not mind",
  "exec: no program": "a program that is not there is 127, as it is for run",
  attach: "its client leaves with the process, sometimes before what that has said has come",
  "inspect: configuration": "a stop signal is told by its whole name, SIGINT, however it was asked for",
  "inspect: host configuration":
    "fields of objects are in the order of Docker's documents, not of the alphabet; capabilities have CAP_ as in Docker 28",
};
