// An empty project with the packed package in it, as somebody else has it.

import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export const run = promisify(execFile);
export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Packs the package and installs it; `remove` takes the project away again. */
export async function createProject() {
  const folder = await mkdtemp(join(tmpdir(), "lm-wasm-package-"));
  const pack = await run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], { cwd: ROOT });
  // An object by package name or an array, by the version of npm.
  const [packed] = Object.values(JSON.parse(pack.stdout));
  await writeFile(join(folder, "package.json"), '{ "private": true, "type": "module" }');
  const install = ["install", "--offline", "--omit=peer", "--no-audit", "--no-fund", join(folder, packed.filename)];
  await run("npm", install, { cwd: folder });
  return { folder, packed, tarball: join(folder, packed.filename), remove: () => rm(folder, { recursive: true }) };
}
