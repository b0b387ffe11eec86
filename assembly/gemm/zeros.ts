/** 32 bytes of zeros: where every plane but that of the bias starts. */
export const ZEROS: usize = memory.data(32, 16);
