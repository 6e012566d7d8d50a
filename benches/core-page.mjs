// The browser's side of the benchmarks.

import { measureCore } from "./core.mjs";

globalThis.result = measureCore({
  read: async (path) => new Uint8Array(await (await fetch(`/${path}`)).arrayBuffer()),
  module: (path) => import(`/${path}`),
  ortPaths: "/benches/node_modules/onnxruntime-web/dist/",
  log: (line) => console.log(line),
});
