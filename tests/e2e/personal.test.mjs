// Personal words in a real browser: learned while typing, kept across visits, forgotten when told.

import assert from "node:assert/strict";
import { test } from "node:test";

import * as t from "./browser.mjs";

const shared = t.setUp();
const TEXT = "we saw Quokkas and Quokkas again ";

/** Runs a test in a page with the model; `options` are those of loading. */
function withModel(body, options = {}) {
  return async () => {
    const opened = await shared.open("tests/e2e/pages/fields.html");
    const { page } = opened;
    const start = async (changed = options, where = page) => {
      await where.waitForFunction(() => globalThis.lm);
      await t.loadModel(where, changed);
    };
    await start();
    await body({
      page,
      words: (text, count = 10) =>
        page.evaluate(
          async ([text, count]) => (await lm.predictor.suggest(text, { count })).map((suggestion) => suggestion.text),
          [text, count],
        ),
      personal: (method, ...args) =>
        page.evaluate(([method, args]) => lm.predictor.personal[method](...args), [method, args]),
      type: async (text, attachOptions = {}) => {
        await t.attach(page, "#area", attachOptions);
        await page.click("#area");
        await page.keyboard.type(text);
        await page.evaluate(() => {
          lm.detach["#area"]();
          document.querySelector("#area").value = "";
        });
      },
      revisit: async (changed) => {
        await page.reload();
        await start(changed);
      },
      openBeside: async () => {
        const other = await page.context().newPage();
        await other.goto(page.url());
        await start(options, other);
        return other;
      },
    });
    await opened.close();
  };
}

/** All that is in the database, as JSON. */
function stored(page) {
  return page.evaluate(async () => {
    const result = (request) => new Promise((resolve) => (request.onsuccess = () => resolve(request.result)));
    const database = await result(indexedDB.open("lm-wasm"));
    const all = (name) => result(database.transaction(name).objectStore(name).getAll());
    return JSON.stringify({ snapshots: await all("snapshots"), journal: await all("journal") });
  });
}

test(
  "a word that is typed twice is suggested, also on the next visit",
  withModel(async ({ type, words, revisit }) => {
    assert.deepEqual(await words("I saw quok"), []);
    await type(TEXT);
    assert.deepEqual(await words("I saw quok"), ["Quokkas"]);
    await revisit();
    assert.deepEqual(await words("I saw quok"), ["Quokkas"]);
    assert.deepEqual(await words("I saw QUOK"), ["QUOKKAS"]);
  }),
);

test(
  "nothing is learned in a field that is not to be learned from",
  withModel(async ({ type, words, personal }) => {
    await type(TEXT, { learn: false });
    assert.deepEqual(await words("I saw quok"), []);
    assert.equal(await personal("export"), "lm-wasm personal words 1\n");
  }),
);

test(
  "a predictor without personal words learns nothing and keeps nothing",
  withModel(
    async ({ page, type, words }) => {
      await type(TEXT);
      assert.deepEqual(await words("I saw quok"), []);
      assert.deepEqual(await page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name)), []);
    },
    { personal: false },
  ),
);

test(
  "nothing is stored but the files and the words",
  withModel(async ({ page, type }) => {
    await type(TEXT);
    const stored = await page.evaluate(async () => ({
      cookies: document.cookie,
      items: localStorage.length + sessionStorage.length,
      databases: (await indexedDB.databases()).map(({ name }) => name),
      caches: await caches.keys(),
    }));
    assert.deepEqual(stored, { cookies: "", items: 0, databases: ["lm-wasm"], caches: ["lm-wasm"] });
  }),
);

test(
  "each name has words of its own",
  withModel(
    async ({ type, words, revisit }) => {
      await type(TEXT);
      assert.deepEqual(await words("I saw quok"), ["Quokkas"]);
      await revisit({ personal: "another" });
      assert.deepEqual(await words("I saw quok"), []);
      await revisit({ personal: "one" });
      assert.deepEqual(await words("I saw quok"), ["Quokkas"]);
    },
    { personal: "one" },
  ),
);

test(
  "words are exported, cleared and imported, and stay so",
  withModel(async ({ page, type, words, personal, revisit }) => {
    await type(TEXT);
    const text = await personal("export");
    assert.match(text, /^lm-wasm personal words 1\n/);
    assert.match(text, /^word\t\d+\tQuokkas$/m);
    assert.match(text, /^pair\t\d+\tsaw\tquokkas$/m);
    await personal("clear");
    assert.deepEqual(await words("I saw quok"), []);
    await revisit();
    assert.deepEqual(await words("I saw quok"), []);
    await personal("import", text);
    await revisit();
    assert.deepEqual(await words("I saw quok"), ["Quokkas"]);
    const refused = await page.evaluate(() =>
      lm.predictor.personal.import("something else").catch(({ name, code, message }) => `${name} ${code} ${message}`),
    );
    assert.match(refused, /^LmError personal-words line 1 .*exported/);
  }),
);

test(
  "words are forgotten and blocked, and stay so",
  withModel(async ({ type, words, personal, revisit }) => {
    await type(TEXT);
    await personal("forget", "quokkas");
    const [first] = await words("I would like to ");
    await personal("block", first);
    for (const visit of [1, 2]) {
      assert.deepEqual(await words("I saw quok"), [], `visit ${visit}`);
      assert.ok(!(await words("I would like to ")).includes(first));
      await revisit();
    }
    await personal("unblock", first);
    await revisit();
    assert.equal((await words("I would like to "))[0], first);
  }),
);

test(
  "what is forgotten is kept nowhere from the next visit on",
  withModel(async ({ page, type, words, personal, revisit }) => {
    await type(TEXT);
    await type("we saw Wombats and Wombats again ");
    await personal("forget", "quokkas");
    await revisit();
    assert.doesNotMatch(await stored(page), /quokka/i);
    assert.deepEqual([await words("I saw quok"), (await words("I saw womb"))[0]], [[], "Wombats"]);
  }),
);

test(
  "the last word of a field is kept, though the predictor is disposed of at once",
  withModel(async ({ page, words, revisit }) => {
    await t.attach(page, "#area");
    await page.click("#area");
    await page.keyboard.type("we saw Quokkas and Quokkas ");
    await page.evaluate(() => {
      lm.detach["#area"]();
      lm.predictor.dispose();
    });
    await t.settle(page);
    await revisit();
    assert.deepEqual(await words("I saw quok"), ["Quokkas"]);
  }),
);

test(
  "a long journal becomes a snapshot, and nothing is lost by it",
  withModel(async ({ page, words, revisit }) => {
    await page.evaluate(async () => {
      for (let i = 0; i < 600; i++) lm.predictor.learn("we saw Quokkas");
      // Kept in order: once this is, all of them are.
      await lm.predictor.personal.forget("nothing");
    });
    await revisit();
    await revisit();
    assert.deepEqual(await words("I saw quok"), ["Quokkas"]);
    assert.deepEqual(JSON.parse(await stored(page)).journal, []);
  }),
);

test(
  "two pages side by side add to the same words",
  withModel(async ({ openBeside, type, words, revisit }) => {
    const other = await openBeside();
    await other.evaluate(async () => {
      for (let i = 0; i < 2; i++) lm.predictor.learn("we saw Wombats");
      await lm.predictor.personal.forget("nothing");
    });
    await type(TEXT);
    await revisit();
    assert.deepEqual([await words("I saw quok"), (await words("I saw womb"))[0]], [["Quokkas"], "Wombats"]);
  }),
);

test(
  "what is imported in one page is added to what another one learned meanwhile",
  withModel(async ({ openBeside, words, personal, revisit }) => {
    const text = "lm-wasm personal words 1\nword\t2000\tQuokkas\n";
    const other = await openBeside();
    await other.evaluate(async () => {
      for (let i = 0; i < 2; i++) lm.predictor.learn("we saw Wombats");
      await lm.predictor.personal.block("zebras");
    });
    await personal("import", text);
    await revisit();
    assert.deepEqual([await words("I saw quok"), (await words("I saw womb"))[0]], [["Quokkas"], "Wombats"]);
    assert.match(await personal("export"), /^block\tzebras$/m);
  }),
);

test(
  "a pasted word is not learned, though somebody types on behind it",
  withModel(async ({ page, type, personal }) => {
    await page.locator("#area").evaluate((area) => (area.value = "my passphrase is hunter"));
    await type(" wombats here ");
    const text = await personal("export");
    assert.match(text, /wombats/);
    assert.doesNotMatch(text, /hunter|passphrase/);
  }),
);

for (const [what, source, options] of [
  ["whose model is not there", "/models/none.lm", {}],
  ["whose model is none", "/www/demo.css", {}],
  ["whose module is none", `/${t.MODEL}`, { wasmUrl: "/www/demo.css" }],
  ["that is given up", `/${t.MODEL}`, { givesUp: true }],
]) {
  test(`a load ${what} leaves no connection to the database`, async () => {
    const { page, close } = await shared.open("tests/e2e/pages/fields.html");
    await page.waitForFunction(() => globalThis.lm);
    const outcome = await page.evaluate(
      async ([source, { givesUp, ...options }]) => {
        const controller = new AbortController();
        const onProgress = () => givesUp && controller.abort();
        // In the page's thread: a worker's connections end with it.
        const where = { signal: controller.signal, worker: false };
        const loading = lm.Predictor.load(source, { ...options, ...where, onProgress });
        const failure = await loading.then(() => "loaded", ({ name }) => name);
        const deleting = indexedDB.deleteDatabase("lm-wasm");
        const deleted = new Promise((resolve) => (deleting.onsuccess = () => resolve("deleted")));
        const late = new Promise((resolve) => setTimeout(resolve, 3000, "a connection is open"));
        return [failure, await Promise.race([deleted, late])];
      },
      [source, options],
    );
    assert.deepEqual(outcome, [options.givesUp ? "AbortError" : "LmError", "deleted"]);
    // Browsers complain of files that are not there.
    await close({ expected: /404|Not Found/ });
  });
}
