/** First words that are no verb by themselves. */
export const topics: Readonly<Record<string, string>> = {
  builder: "Manage builds",
  buildx: "The same, as Docker's plugin is called",
  container: "Manage containers",
  healthcheck: "Manage health checks of containers",
  image: "Manage images",
  manifest: "Manage image manifests and manifest lists",
  secret: "Manage secrets",
  system: "Manage Ramekin",
  volume: "Manage volumes",
};
