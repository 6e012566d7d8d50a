// A static server for the demo, the browser tests and the benchmarks; Node's own http and nothing else.
//
//   node scripts/serve.mjs [--port 8080]     the PORT variable does the same
//
// The demo runs under the strictest policy that the library supports, so that a step back is noticed here first.

import { createReadStream } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, posix, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const REPOSITORY = fileURLToPath(new URL("..", import.meta.url));
const DEFAULT_PORT = 8080;
const HOST = "127.0.0.1";

// All that a page needs; the rest of the checkout stays private.
const DIRECTORIES = ["www", "dist", "pkg", "models"];

const TYPES = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".ico": "image/x-icon",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".lm": "application/octet-stream",
  ".map": "application/json; charset=utf-8",
  ".md": "text/markdown; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".wasm": "application/wasm",
  ".woff2": "font/woff2",
};

const CONTENT_SECURITY_POLICY =
  "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'";

const COMMON_HEADERS = {
  // Together these two isolate the page: exact timers for the benchmarks, SharedArrayBuffer if ever wanted.
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "X-Content-Type-Options": "nosniff",
};

/**
 * Starts the server and resolves once it listens.
 *
 * @param {object} [options]
 * @param {number} [options.port] 0 (the default) takes any free port
 * @param {string} [options.root] folder that holds the served directories; the repository by default
 * @param {string[]} [options.directories] names of the directories below `root` that are served
 * @returns {Promise<{ url: string, port: number, close: () => Promise<void> }>}
 */
export async function serve({ port = 0, root = REPOSITORY, directories = DIRECTORIES } = {}) {
  const realRoot = await realpath(root);
  const server = createServer((request, response) => {
    answer(request, response, realRoot, directories).catch((error) => {
      console.error(error);
      if (response.headersSent) response.destroy();
      else sendText(response, 500, "internal error");
    });
  });
  await listen(server, port);
  const actualPort = server.address().port;
  return {
    url: `http://${HOST}:${actualPort}/`,
    port: actualPort,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        // A browser keeps its connections open; close() alone would wait for it.
        server.closeAllConnections();
      }),
  };
}

function listen(server, port) {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, HOST, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

async function answer(request, response, root, directories) {
  if (request.method !== "GET" && request.method !== "HEAD") {
    return sendText(response, 405, "only GET and HEAD", { Allow: "GET, HEAD" });
  }
  const path = decodePath(request.url);
  if (path === null) return sendText(response, 400, "malformed address");
  if (path === "/") return redirect(response, "/www/");

  const file = await findFile(path, root, directories);
  if (file === null) return sendText(response, 404, "not found");
  if (file.redirect) return redirect(response, file.redirect);
  return sendFile(request, response, file);
}

/** The decoded and normalized path of a request, or null where it can't be one. */
function decodePath(target) {
  try {
    const path = decodeURIComponent(new URL(target, "http://localhost").pathname);
    return path.includes("\0") || path.includes("\\") ? null : posix.normalize(path);
  } catch {
    return null;
  }
}

/** Looks up what a path names; null if there is nothing, or if it lies outside of what is served. */
async function findFile(path, root, directories) {
  try {
    const found = await realpath(join(root, path));
    // After realpath neither an encoded ".." nor a symbolic link can lead astray.
    const served = directories.some((name) => (found + sep).startsWith(join(root, name) + sep));
    if (!served) return null;

    const info = await stat(found);
    if (info.isFile()) return { path: found, info };
    if (!info.isDirectory()) return null;
    if (!path.endsWith("/")) return { redirect: `${encodeURI(path)}/` };
    const index = join(found, "index.html");
    return { path: index, info: await stat(index) };
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "ELOOP", "ENAMETOOLONG"].includes(error.code)) return null;
    throw error;
  }
}

function sendFile(request, response, { path, info }) {
  const extension = extname(path);
  const etag = `W/"${info.size.toString(16)}-${Math.trunc(info.mtimeMs).toString(16)}"`;
  const headers = { ...COMMON_HEADERS, "Cache-Control": "no-cache", ETag: etag };
  // A worker is held to the policy that came with its own file, not to the page's.
  if (extension === ".html" || extension === ".js") headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY;

  if (request.headers["if-none-match"] === etag) {
    response.writeHead(304, headers).end();
    return;
  }
  headers["Content-Type"] = TYPES[extension] ?? "application/octet-stream";
  headers["Content-Length"] = info.size;
  response.writeHead(200, headers);
  if (request.method === "HEAD") {
    response.end();
    return;
  }
  createReadStream(path)
    .on("error", (error) => response.destroy(error))
    .pipe(response);
}

function redirect(response, location) {
  sendText(response, 302, location, { Location: location });
}

function sendText(response, status, text, headers = {}) {
  response.writeHead(status, { ...COMMON_HEADERS, "Content-Type": TYPES[".txt"], ...headers });
  response.end(`${text}\n`);
}

async function main() {
  const { values } = parseArgs({ options: { port: { type: "string" } } });
  const wanted = values.port ?? process.env.PORT;
  const port = wanted === undefined ? DEFAULT_PORT : Number(wanted);
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new Error(`'${wanted}' is no port: give a number from 0 to 65535`);
  }
  let server;
  try {
    server = await serve({ port });
  } catch (error) {
    if (error.code !== "EADDRINUSE") throw error;
    // A port that was asked for is meant; the default one is only a habit.
    if (wanted !== undefined) throw new Error(`port ${port} is taken: stop what uses it or give another with --port`);
    server = await serve({ port: 0 });
  }
  console.log(`lm-wasm: the demo is at ${server.url} (Ctrl+C stops it)`);
}

if (process.argv[1] && (await realpath(process.argv[1])) === (await realpath(fileURLToPath(import.meta.url)))) {
  main().catch((error) => {
    console.error(`serve: ${error.message}`);
    process.exitCode = 1;
  });
}
