// Writes js/shipped.ts: which models and modules belong to this build, and what they must be, so that a copy that is kept
// or served by somebody else can be told from the right one.
//
//   node scripts/write-shipped.mjs

import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

// Each address is written out, so that a bundler sees the file and ships it.
async function entry(name, path) {
  const digest = createHash("sha256").update(await readFile(join(ROOT, path))).digest("base64");
  return `  "${name}": { url: new URL("../${path}", import.meta.url).href, integrity: "sha256-${digest}" },\n`;
}

async function modelEntries() {
  const files = (await readdir(join(ROOT, "models"))).filter((name) => name.endsWith(".lm"));
  const names = files.map((file) => basename(file, ".lm")).sort();
  return (await Promise.all(names.map((name) => entry(name, `models/${name}.lm`)))).join("");
}

await writeFile(
  join(ROOT, "js/shipped.ts"),
  `/* Made by scripts/write-shipped.mjs: the files that belong to this build, and their SHA-256 digests. */

export const MODULES = {
${await entry("plain", "pkg/lm_wasm_bg.wasm")}${await entry("relaxed", "pkg/lm_wasm_relaxed_bg.wasm")}} as const;

/** By name: each \`.lm\` file of the folder \`models\`. */
export const MODELS: Readonly<Record<string, { readonly url: string; readonly integrity: string }>> = {
${await modelEntries()}};
`,
);
