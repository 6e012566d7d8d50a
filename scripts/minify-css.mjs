// Minifies the style sheets in the views' modules: bundlers of those who use the package leave strings as they are.
//
//   node scripts/minify-css.mjs

import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { transform } from "esbuild";

const VIEWS = fileURLToPath(new URL("../dist/views", import.meta.url));
const STYLE_SHEET = /(?<=CSS = `)[^`]+(?=`)/;

for (const name of (await readdir(VIEWS)).filter((name) => name.endsWith(".js"))) {
  const path = join(VIEWS, name);
  const code = await readFile(path, "utf8");
  const [sheet] = code.match(STYLE_SHEET) ?? [];
  if (sheet === undefined) continue;
  const { code: small } = await transform(sheet, { loader: "css", minify: true });
  await writeFile(path, code.replace(sheet, () => small.trim()));
}
