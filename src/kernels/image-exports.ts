/**
 * Exports of assembly/image/. All pointers and row strides are bytes; planes are f32. No two buffers of one call may
 * overlap. Kernels may read up to 64 bytes past the end of a buffer and never write past one; the contract of each
 * stands at the head of its file.
 */
export interface ImageKernels {
  /**
   * plane_i = matrix row i applied to [R, G, B, 1]; `channels` 1 to 4, with 1 and 2 grey; matrix: 12 f32.
   * rgb-to-planes.ts
   */
  u8_rgb_to_planes_f32: RgbToPlanes;
  u16_rgb_to_planes_f32: RgbToPlanes;
  /** The same for the first matrix row alone (luma). */
  u8_rgb_to_plane_f32: RgbToPlane;
  u16_rgb_to_plane_f32: RgbToPlane;
  /** Samples 0 to 2 = matrix applied to [P0, P1, P2, 1], clipped and rounded; `channels` 3 or 4. planes-to-rgb.ts */
  f32_planes_to_rgb_u8: PlanesToRgb;
  f32_planes_to_rgb_u16: PlanesToRgb;
  /** One channel <-> plane, `* scale + offset` on the way; `step` = samples from pixel to pixel, 1 to 4. channel.ts */
  u8_channel_to_f32: ChannelToPlane;
  u16_channel_to_f32: ChannelToPlane;
  f32_channel_to_u8: PlaneToChannel;
  f32_channel_to_u16: PlaneToChannel;

  /**
   * `src` is where row 0 of the picture lies or would lie. `limit` > 0 rounds and clips to [0, limit].
   * f32-resize-rows.ts
   */
  f32_resize_rows(
    rows: number,
    cols: number,
    src: number,
    srcRowBytes: number,
    dst: number,
    dstRowBytes: number,
    indices: number,
    weights: number,
    taps: number,
    limit: number,
  ): void;

  /**
   * `src` holds columns [first, first + srcCols); scratch: 16 * (srcCols rounded up to 4) bytes. f32-resize-columns.ts
   */
  f32_resize_columns(
    rows: number,
    cols: number,
    src: number,
    srcRowBytes: number,
    first: number,
    srcCols: number,
    dst: number,
    dstRowBytes: number,
    indices: number,
    weights: number,
    taps: number,
    limit: number,
    scratch: number,
  ): void;

  /** rows x cols input pixels of block^2 * depth elements of one byte. x8-depth-to-space.ts */
  x8_depth_to_space: DepthToSpace;
  /** The same with elements of four bytes. x32-depth-to-space.ts */
  x32_depth_to_space: DepthToSpace;
}

type RgbToPlanes = (
  rows: number,
  cols: number,
  src: number,
  srcRowBytes: number,
  channels: number,
  plane0: number,
  plane1: number,
  plane2: number,
  planeRowBytes: number,
  matrix: number,
) => void;

type RgbToPlane = (
  rows: number,
  cols: number,
  src: number,
  srcRowBytes: number,
  channels: number,
  plane: number,
  planeRowBytes: number,
  matrix: number,
) => void;

type PlanesToRgb = (
  rows: number,
  cols: number,
  plane0: number,
  plane1: number,
  plane2: number,
  planeRowBytes: number,
  dst: number,
  dstRowBytes: number,
  channels: number,
  matrix: number,
) => void;

type ChannelToPlane = (
  rows: number,
  cols: number,
  src: number,
  srcRowBytes: number,
  step: number,
  plane: number,
  planeRowBytes: number,
  scale: number,
  offset: number,
) => void;

type PlaneToChannel = (
  rows: number,
  cols: number,
  plane: number,
  planeRowBytes: number,
  dst: number,
  dstRowBytes: number,
  step: number,
  scale: number,
  offset: number,
) => void;

type DepthToSpace = (
  rows: number,
  cols: number,
  block: number,
  depth: number,
  src: number,
  srcRowBytes: number,
  dst: number,
  dstRowBytes: number,
) => void;
