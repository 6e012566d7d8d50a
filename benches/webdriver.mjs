// A browser by way of its WebDriver (W3C): opens one page and runs one script in it. Firefox and Chromium alike.

import { spawn } from "node:child_process";
import { createServer } from "node:net";

const BROWSERS = {
  chromium: {
    driver: "chromedriver",
    capabilities: {
      "goog:chromeOptions": {
        args: ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
      },
    },
  },
  firefox: { driver: "geckodriver", capabilities: { "moz:firefoxOptions": { args: ["-headless"] } } },
};

/** Long enough for any benchmark. */
const SCRIPT_TIMEOUT_MS = 20 * 60_000;
const START_TIMEOUT_MS = 20_000;

/**
 * Opens `url` in a browser, awaits what `globalThis.result` of the page resolves to, and closes it.
 *
 * @param {"chromium" | "firefox"} name
 * @returns {Promise<{ version: string, result: any }>}
 */
export async function runInBrowser(name, url) {
  const { driver, capabilities } = BROWSERS[name];
  const port = await freePort();
  const process = spawn(driver, [`--port=${port}`], { stdio: "ignore" });
  const failed = new Promise((_, reject) => process.once("error", reject));
  try {
    const base = `http://127.0.0.1:${port}`;
    await Promise.race([waitFor(`${base}/status`), failed]);
    const session = await command(`${base}/session`, { capabilities: { alwaysMatch: capabilities } });
    const at = `${base}/session/${session.sessionId}`;
    try {
      await command(`${at}/timeouts`, { script: SCRIPT_TIMEOUT_MS });
      await command(`${at}/url`, { url });
      const script = "const done = arguments[0]; globalThis.result.then(done, (error) => done({ error: `${error}` }));";
      const result = await command(`${at}/execute/async`, { script, args: [] });
      if (result.error) throw new Error(`${name}: ${result.error}`);
      return { version: session.capabilities.browserVersion, result };
    } finally {
      await fetch(at, { method: "DELETE" });
    }
  } finally {
    process.kill();
  }
}

async function command(url, body) {
  const response = await fetch(url, { method: "POST", body: JSON.stringify(body) });
  const { value } = await response.json();
  if (!response.ok) throw new Error(`${url}: ${value.message}`);
  return value;
}

async function waitFor(url) {
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    try {
      if ((await fetch(url)).ok) return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
