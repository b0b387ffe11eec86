/**
 * Oracle of the colour conversions, in double precision: BT.601 studio range.
 * One pixel at a time; R, G, B in 0..255, Y in 16..235, Cb and Cr in 16..240 for colours inside the cube.
 */
export type Triple = readonly [number, number, number];

export function rgbToYCbCr([red, green, blue]: Triple): Triple {
  const r = red / 255;
  const g = green / 255;
  const b = blue / 255;
  return [
    16 + 65.481 * r + 128.553 * g + 24.966 * b,
    128 - 37.797 * r - 74.203 * g + 112 * b,
    128 + 112 * r - 93.786 * g - 18.214 * b,
  ];
}

/**
 * Solves rgbToYCbCr(rgb) = ycc by Cramer's rule on the forward map itself, so that no inverse coefficient is typed
 * anywhere.
 */
export function yCbCrToRgb(ycc: Triple): Triple {
  const origin = rgbToYCbCr([0, 0, 0]);
  const minus = (a: Triple): Triple => [a[0] - origin[0], a[1] - origin[1], a[2] - origin[2]];
  const r = minus(rgbToYCbCr([1, 0, 0]));
  const g = minus(rgbToYCbCr([0, 1, 0]));
  const b = minus(rgbToYCbCr([0, 0, 1]));
  const t = minus(ycc);
  const whole = determinant(r, g, b);
  return [determinant(t, g, b) / whole, determinant(r, t, b) / whole, determinant(r, g, t) / whole];
}

function determinant(a: Triple, b: Triple, c: Triple): number {
  return a[0] * (b[1] * c[2] - b[2] * c[1]) - b[0] * (a[1] * c[2] - a[2] * c[1]) + c[0] * (a[1] * b[2] - a[2] * b[1]);
}

/**
 * Row i of a 3x4 matrix applied to [a, b, c, 1] in the kernels' order, every operation rounded to f32: their bit-exact
 * twin.
 */
export function affineF32(matrix: Float32Array, i: number, a: number, b: number, c: number): number {
  const f = Math.fround;
  const [m0, m1, m2, m3] = matrix.subarray(4 * i, 4 * i + 4) as unknown as [number, number, number, number];
  return f(f(f(f(m0 * a) + f(m1 * b)) + f(m2 * c)) + m3);
}

/** Clips to [0, limit] and rounds halves up as MATLAB's integer classes do; in f32, as the kernels. NaN gives 0. */
export function toSample(value: number, limit: number): number {
  const clipped = value > 0 ? Math.min(value, limit) : 0;
  return Math.floor(Math.fround(clipped + 0.5));
}
