import assert from "node:assert/strict";
import { test } from "node:test";

import { isBeginning, lengthBeforeNfc, toNfc } from "../../dist/text.js";

const ACUTE = "\u0301";

test("the length of a normal form's end is given in the units of the text", () => {
  const cases = [
    ["plain text", 4, 4],
    ["plain text", 0, 0],
    [`cafe${ACUTE}`, 4, 5],
    [`cafe${ACUTE} cre${ACUTE}me`, 5, 6],
    [`cafe${ACUTE} au lait`, 4, 4],
    [`cafe${ACUTE} `, 0, 0],
    // Above the basic plane: two units a letter in either form.
    [`e${ACUTE} \u{1d4d0}\u{1d4d1}`, 4, 4],
    // Marks in another order than the normal one: dot below comes first.
    ["s\u0307\u0323x", 2, 4],
    ["\u1112\u1161\u11ab", 1, 3],
  ];
  for (const [text, length, expected] of cases) {
    assert.equal(lengthBeforeNfc(text, toNfc(text), length), expected, JSON.stringify([text, length]));
  }
});

test("what the mapped length leaves and what it takes make up the whole normal form", () => {
  const text = `na${"i\u0308"}ve re${"\u0301"}sume${"\u0301"} zażo${"\u0301"}łc${"\u0301"}`;
  const nfc = toNfc(text);
  for (const word of nfc.matchAll(/\S+$/g)) {
    const length = lengthBeforeNfc(text, nfc, word[0].length);
    assert.equal(toNfc(text.slice(-length)), word[0]);
    assert.equal(toNfc(text.slice(0, -length)) + word[0], nfc);
  }
});

test("a beginning may differ in case and accents, and is shorter than the word", () => {
  assert.ok(isBeginning("", "great"));
  assert.ok(isBeginning("gre", "great"));
  assert.ok(isBeginning("GRE", "great"));
  assert.ok(isBeginning("zol", "żółty") === false, "ł is a letter of its own, not an l with a mark");
  assert.ok(isBeginning("cafe", "cafés"));
  assert.ok(isBeginning(`cafe${ACUTE}`, "cafés"));
  assert.ok(!isBeginning("great", "great"));
  assert.ok(!isBeginning("gra", "great"));
  assert.ok(!isBeginning("gre ", "great"));
});
