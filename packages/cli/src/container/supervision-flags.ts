import type { Flags } from "../verb.ts";

/** What a new container's supervisor does of its own accord, and where it writes the log. */
export const supervisionFlags = {
  "health-cmd": { type: "string", value: "command", summary: "Command to run to check health" },
  "health-interval": { type: "string", value: "duration", summary: "Time between running the check (ms|s|m|h) (default 30s)" },
  "health-on-failure": {
    type: "string",
    choices: ["none", "kill", "restart", "stop"],
    default: "none",
    summary: 'What to do with a container that turns unhealthy ("none", "kill", "restart", "stop")',
  },
  "health-retries": { type: "int", summary: "Consecutive failures needed to report unhealthy (default 3)" },
  "health-start-interval": {
    type: "string",
    value: "duration",
    summary: "Time between running the check during the start period (ms|s|m|h) (default 5s)",
  },
  "health-start-period": {
    type: "string",
    value: "duration",
    summary: "Start period for the container to initialize before starting health-retries countdown (ms|s|m|h) (default 0s)",
  },
  "health-startup-cmd": { type: "string", value: "command", summary: "Command that has to succeed before the health check begins" },
  "health-startup-interval": {
    type: "string",
    value: "duration",
    summary: "Time between running the startup check (ms|s|m|h) (default 30s)",
  },
  "health-startup-retries": {
    type: "int",
    summary: "Failures of the startup check after which the container is started again (default 0: never)",
  },
  "health-startup-success": { type: "int", summary: "Successes of the startup check that are needed (default 1)" },
  "health-startup-timeout": {
    type: "string",
    value: "duration",
    summary: "Maximum time to allow one startup check to run (ms|s|m|h) (default 30s)",
  },
  "health-timeout": { type: "string", value: "duration", summary: "Maximum time to allow one check to run (ms|s|m|h) (default 30s)" },
  "log-driver": { type: "string", value: "driver", summary: 'Logging driver: "json-file", "local", "none" or "passthrough"' },
  "log-opt": {
    type: "list",
    value: "name=value",
    summary: "Log driver options: max-size, max-file, compress, mode, max-buffer-size, labels, env, tag",
  },
  "no-healthcheck": { type: "boolean", summary: "Disable any container-specified HEALTHCHECK" },
  restart: {
    type: "string",
    value: "policy",
    default: "no",
    summary: 'Restart policy to apply when a container exits ("no", "on-failure[:n]", "always", "unless-stopped")',
  },
  timeout: { type: "decimal", value: "seconds", summary: "Time that a run may take; then it is killed, with exit code 255" },
} as const satisfies Flags;

/** Of verbs that start containers in the background. */
export const readinessFlags = {
  wait: {
    type: "list",
    value: "condition",
    summary: 'Come back when the container is ready: "healthy", "port:5432", "log:/regex/" or "exit"',
  },
  "wait-timeout": { type: "string", value: "duration", summary: "Give up waiting after that time (ms|s|m|h), with exit code 124" },
} as const satisfies Flags;
