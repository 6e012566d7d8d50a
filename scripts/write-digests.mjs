// Writes js/digests.ts: what the WebAssembly and the shipped models must be, so that a copy that is kept or served by
// somebody else can be told from the right one.
//
//   node scripts/write-digests.mjs

import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

async function integrity(path) {
  const hash = createHash("sha256").update(await readFile(join(ROOT, path)));
  return `sha256-${hash.digest("base64")}`;
}

async function modelLines() {
  const files = (await readdir(join(ROOT, "models"))).filter((name) => name.endsWith(".lm")).sort();
  const line = async (file) => `  "${basename(file, ".lm")}": "${await integrity(`models/${file}`)}",\n`;
  return (await Promise.all(files.map(line))).join("");
}

await writeFile(
  join(ROOT, "js/digests.ts"),
  `/* Made by scripts/write-digests.mjs: the SHA-256 digests of the files that belong to this build. */

export const WASM_INTEGRITY = {
  plain: "${await integrity("pkg/lm_wasm_bg.wasm")}",
  relaxed: "${await integrity("pkg/lm_wasm_relaxed_bg.wasm")}",
} as const;

export const MODEL_INTEGRITY: Readonly<Record<string, string>> = {
${await modelLines()}};
`,
);
