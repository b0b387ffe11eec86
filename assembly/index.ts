// What the binary exports. Nothing but re-exports.
export * from "./conv/conv2d-1x1-4x8";
export * from "./conv/conv2d-4x8";
export * from "./conv/conv2d-6x4";
export * from "./conv/conv2d-8x4";
export * from "./conv/dwconv2d-2x4x4";
export * from "./elementwise/f32";
export * from "./elementwise/quantize";
export * from "./elementwise/s8";
export * from "./image/channel";
export * from "./image/f32-resize-columns";
export * from "./image/f32-resize-rows";
export * from "./image/planes-to-rgb";
export * from "./image/rgb-to-planes";
export * from "./image/x32-depth-to-space";
export * from "./image/x8-depth-to-space";
export * from "./winograd/kernels";
export * from "./winograd/transform-filter";
