/* Text as the model reads it. */

/** The model reads composed characters (NFC); nearly every text has that form already. */
export function toNfc(text: string): string {
  return text.normalize("NFC");
}

/**
 * The length in `text` of what takes `length` UTF-16 units at the end of its normal form.
 *
 * "cafe" with a combining accent is five units long, "café" four.
 */
export function lengthBeforeNfc(text: string, nfc: string, length: number): number {
  if (text === nfc || length === 0) return length;
  const end = nfc.slice(-length);
  // The normal form of a longer end is another string each time, so that at most one of them fits.
  for (let start = text.length - 1; start >= 0; start--) {
    if (toNfc(text.slice(start)) === end) return text.length - start;
  }
  return length;
}

/** Whether typing on from `typed` can lead to `word`; case and accents may differ, as the model mends them. */
export function isBeginning(typed: string, word: string): boolean {
  const [beginning, whole] = [fold(typed), fold(word)];
  return beginning.length < whole.length && whole.startsWith(beginning);
}

function fold(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}
