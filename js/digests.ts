/* Made by scripts/write-digests.mjs: the SHA-256 digests of the files that belong to this build. */

export const WASM_INTEGRITY = {
  plain: "sha256-+WbmzclAZ7wRyn07Th0PRJ44calxeTxGy9B3MpmgAPA=",
  relaxed: "sha256-iS+vMVa5FyBUm40cN/mZiXtWYyu4rRDTWY55NWVYXyo=",
} as const;

export const MODEL_INTEGRITY: Readonly<Record<string, string>> = {
  "en": "sha256-OCNTFbQJQpWj+EX4u3zv6VUDbr1qagdLftrpuPr3SPo=",
};
