// What the second binary exports: layers of classification networks, beside the kernels of assembly/index.ts and over the same memory.
// Its static data lies from 8192 on (asconfig.layers.json), above the first binary's and below the heap (src/kernels/memory.ts).
export * from "./channel-affine";
export * from "./gelu";
export * from "./global-average";
export * from "./hard-swish";
export * from "./layer-norm";
export * from "./layer-norm-s8";
export * from "./max-pool";
export * from "./subsample";
export * from "./table";
