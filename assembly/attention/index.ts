// What the third binary exports: attention of vision transformers, beside the kernels of assembly/index.ts and over the same memory.
// Its static data lies from 12288 on (asconfig.attention.json), above the layers' and below the heap (src/kernels/memory.ts).
export * from "./add-scaled";
export * from "./attention";
export * from "./l2";
export * from "./pivot-projection";
export * from "./softmax";
export * from "./xca";
