/** Tiles transformed together: enough to amortise the filter, few enough that their products stay in L1. A multiple of 4. */
export const TILES = 16;

/** Bytes between two planes of products, [TILES][8 channels] int32 or f32; off the powers of two, so that planes do not share cache sets. */
export const PRODUCTS_STRIDE = TILES * 32 + 32;
