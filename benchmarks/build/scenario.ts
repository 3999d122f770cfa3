import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Contender } from "../contender.ts";
import { benchImage } from "../start/image.ts";
import { type Group, scratch } from "../transfer/place.ts";
import { type Builder, buildah, buildkit, docker, ramekin } from "./builders.ts";
import { makeContext, type Recipe, recipes } from "./recipes.ts";

/** `only`: one of the recipes. Each group has builders of its own, with empty stores. */
export async function scenario(only: string | undefined): Promise<readonly Group[]> {
  if (only !== undefined && !(only in recipes)) throw new Error(`no recipe ${only}; there are: ${Object.keys(recipes).join(", ")}`);
  const chosen = Object.entries(recipes).filter(([name]) => only === undefined || name === only);
  return chosen.map(([, recipe]) => {
    const directory = scratch();
    const image = benchImage(directory);
    const builders = [
      ramekin(directory, image),
      buildkit(directory, image),
      docker(directory, image, "BuildKit"),
      docker(directory, image, "classic"),
      buildah(directory, image),
    ];
    return {
      title: `build: ${recipe.title}`,
      contenders: builders.map((builder) => building(builder, recipe, join(directory, `context-${builder.name}`))),
      against: ["buildkitd", "docker, BuildKit", "buildah"],
    };
  });
}

function building(builder: Builder, recipe: Recipe, context: string): Contender {
  const { name, absent, build, close } = builder;
  let round = 0;
  return {
    name,
    ...(absent !== undefined && { absent }),
    async prepare() {
      makeContext(context, recipe);
      await builder.open();
    },
    async reset() {
      round += 1;
      if (recipe.before === "forget") await builder.forget();
      if (recipe.before === "change") writeFileSync(join(context, "Dockerfile"), recipe.dockerfile(round));
    },
    run: () => build(context),
    ...(close && { dispose: close }),
  };
}
