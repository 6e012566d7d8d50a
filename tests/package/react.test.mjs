// The hooks in a page of React, in strict mode, which mounts everything twice.

import assert from "node:assert/strict";
import { cp, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import { build } from "esbuild";

import { serve } from "../../scripts/serve.mjs";
import { launch, waitForBar } from "../e2e/browser.mjs";
import { createProject, ROOT } from "./project.mjs";

const APP = `
  import { createElement as h, StrictMode, useState } from "react";
  import { createRoot } from "react-dom/client";
  import { usePredictor, useSuggestions } from "lm-wasm/react";

  function Field() {
    const [text, setText] = useState("");
    const { predictor, error } = usePredictor("en", { baseUrl: "./lm-wasm/" });
    const ref = useSuggestions(predictor);
    const onChange = (event) => setText(event.target.value);
    return h("label", null, text, error?.message, h("textarea", { ref, value: text, onChange }));
  }
  function App() {
    const [shown, setShown] = useState(true);
    return h("main", null, shown && h(Field), h("button", { onClick: () => setShown(!shown) }, "toggle"));
  }
  createRoot(document.querySelector("#root")).render(h(StrictMode, null, h(App)));`;

test("a controlled text area has suggestions as long as it is mounted", async () => {
  const project = await createProject();
  const server = await serve({ root: project.folder, directories: ["site"] });
  const browser = await launch();
  try {
    const site = join(project.folder, "site");
    await mkdir(site);
    for (const name of ["react", "react-dom", "scheduler"]) {
      await symlink(join(ROOT, "node_modules", name), join(project.folder, "node_modules", name));
    }
    await writeFile(join(project.folder, "app.js"), APP);
    await build({
      entryPoints: [join(project.folder, "app.js")],
      outfile: join(site, "bundle.js"),
      bundle: true,
      format: "esm",
      define: { "process.env.NODE_ENV": '"development"' },
    });
    await cp(join(project.folder, "node_modules/lm-wasm"), join(site, "lm-wasm"), { recursive: true });
    await writeFile(
      join(site, "index.html"),
      `<!doctype html><title>Site</title><link rel="icon" href="data:,"><div id="root"></div>
       <script type="module" src="bundle.js"></script>`,
    );

    const page = await browser.newPage();
    const errors = [];
    page.on("pageerror", (error) => errors.push(String(error)));
    await page.goto(`${server.url}site/`);
    await page.click("textarea");
    await page.keyboard.type("I would like to ");
    const [word] = await waitForBar(page);
    await page.keyboard.press("Alt+Digit1");
    assert.equal(await page.inputValue("textarea"), `I would like to ${word} `);
    assert.ok((await page.textContent("label")).startsWith(`I would like to ${word} `), "React knows of it");
    assert.equal(page.workers().length, 1);

    const ended = page.workers()[0].waitForEvent("close");
    await page.click("button");
    await ended;
    assert.equal(await page.locator("lm-bar, lm-ghost, lm-status").count(), 0);
    await page.click("button");
    await page.click("textarea");
    await page.keyboard.type("I am ");
    assert.ok((await waitForBar(page)).length > 0);
    assert.deepEqual(errors, []);
  } finally {
    await browser.close();
    await server.close();
    await project.remove();
  }
});
